//! `train`.

use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use larp_runtime::pipeline::{Pipeline, Source};
use larp_runtime::report::{Summary, files, read_json};
use larp_runtime::train::{self, Outcome, StageChoice, TrainRequest};

use super::dry_run::dry_run;
use crate::args::{TrainArgs, TrainingArgs};
use crate::interrupt;
use crate::output::print;
use crate::progress::TrainProgress;
use crate::results::summary_table;
use crate::terminal::Terminal;

/// Trains a pipeline into a run folder.
pub fn train(args: TrainArgs, terminal: &Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.pipeline)?;
    if let Some(data) = &args.data {
        source.use_data(data)?;
    }
    let Some(run) = &args.run else {
        return dry_run(source, &args).map(|()| ExitCode::SUCCESS);
    };
    let supervision = if args.stop_with_stdin { Some(supervised(run)?) } else { None };
    train_source(source, run, args.stage.into(), &args.training, supervision.as_ref(), terminal)
}

/// The lock of a run folder that a parent process supervises.
pub struct Supervised {
    _lock: File,
}

/// Waits for the end of another supervised process in the folder: its parent was killed, and it is still saving.
fn supervised(run: &Path) -> Result<Supervised> {
    fs::create_dir_all(run).with_context(|| format!("cannot create `{}`", run.display()))?;
    let path = run.join(".lock");
    let lock = File::create(&path).and_then(|lock| lock.lock().map(|()| lock));
    Ok(Supervised { _lock: lock.with_context(|| format!("cannot lock `{}`", path.display()))? })
}

/// Sets values over a source, and trains.
pub fn train_source(
    mut source: Source,
    run: &Path,
    stage: StageChoice,
    args: &TrainingArgs,
    supervised: Option<&Supervised>,
    terminal: &Terminal,
) -> Result<ExitCode> {
    for text in &args.set {
        source.set(text)?;
    }
    let pipeline = source.pipeline()?;
    let interrupted = interrupt::watch().context("cannot listen for Ctrl-C")?;
    if supervised.is_some() {
        interrupt::watch_stdin(interrupted.clone());
    }
    let mut progress = TrainProgress::new(terminal, interrupted.clone());
    let request = TrainRequest {
        pipeline: pipeline.clone(),
        run: run.to_owned(),
        stage,
        device: args.device.device.clone(),
        resume: args.resume,
        allow_changes: args.allow_changes,
        interrupted,
    };
    let outcome = train::run(request, &mut progress);
    drop(progress);
    match outcome? {
        Outcome::Finished => {
            print(&summary(&pipeline, run)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted => {
            terminal.line(format!("stopped; the same command with `--resume` and `--run {}` goes on", run.display()));
            Ok(ExitCode::from(interrupt::EXIT))
        }
    }
}

fn summary(pipeline: &Pipeline, run: &Path) -> Result<String> {
    let summary: Summary = read_json(&run.join(files::SUMMARY))?;
    let table = summary_table(&summary, pipeline.plan()?.quantizer.vocab_size);
    let lines = [("report", run.join(files::REPORT)), ("samples", run.join(files::SAMPLES))];
    let lines: String = lines.iter().map(|(name, path)| format!("{name:<8} {}\n", path.display())).collect();
    Ok(format!("{table}\n{lines}"))
}
