//! `ablate`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use larp_runtime::ablate::{
    AblateEvent, AblateObserver, AblateRequest, AblationFile, MetricColumn, Overrides, Plan, Results, RunState, cell,
    default_measures, run,
};

use crate::args::AblateArgs;
use crate::interrupt;
use crate::output::{Side, print, print_json, table};
use crate::progress::duration;
use crate::terminal::Terminal;

/// Runs an ablation and prints its table.
pub fn ablate(args: AblateArgs, terminal: &Terminal) -> Result<ExitCode> {
    let measures = default_measures();
    let (file, beside) = AblationFile::open(&args.ablation)?;
    let overrides = Overrides { seeds: args.seeds, set: args.set, data: args.data };
    let plan = Plan::new(file, &beside, &overrides, &measures)?;
    let folder = args.output.unwrap_or_else(|| Path::new("ablations").join(&plan.file.name));
    let interrupted = interrupt::watch().context("cannot listen for Ctrl-C")?;
    let request = AblateRequest {
        plan,
        measures,
        folder: folder.clone(),
        jobs: args.jobs.into(),
        device: args.device.device,
        resume: args.resume,
        program: std::env::current_exe().context("cannot find this program to start it for each run")?,
        interrupted,
    };
    let outcome = run(&request, &mut Lines { terminal, done: 0, total: 0 })?;
    if args.json {
        print_json(&outcome.results)?;
    } else {
        print(&text(&outcome.results, &folder))?;
    }
    if outcome.interrupted {
        terminal.line(format!("stopped; the same command with `--resume` and `-o {}` goes on", folder.display()));
        return Ok(ExitCode::from(interrupt::EXIT));
    }
    Ok(if outcome.results.complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A line on standard error for each run that begins or ends.
struct Lines<'a> {
    terminal: &'a Terminal,
    done: usize,
    total: usize,
}

impl AblateObserver for Lines<'_> {
    fn event(&mut self, event: &AblateEvent) {
        match event {
            AblateEvent::Found { finished, total } => {
                (self.done, self.total) = (*finished, *total);
                self.terminal.line(format!("{total} runs, {finished} of them finished already"));
            }
            AblateEvent::Started { variant, seed, resumed } => {
                let how = if *resumed { "goes on" } else { "begins" };
                self.terminal.line(format!("{variant}, seed {seed}: {how}"));
            }
            AblateEvent::Ended { variant, seed, state, seconds } => {
                self.done += usize::from(*state == RunState::Finished);
                let how = match state {
                    RunState::Finished => format!("finished in {} ({} of {})", duration(*seconds), self.done, self.total),
                    RunState::Failed(error) => format!("failed: {error}"),
                    RunState::Unfinished | RunState::Missing => "stopped".to_owned(),
                };
                self.terminal.line(format!("{variant}, seed {seed}: {how}"));
            }
        }
    }
}

fn text(results: &Results, folder: &Path) -> String {
    let headings = results.metrics.iter().map(MetricColumn::heading);
    let last = format!("against {}", results.base);
    let mut rows = vec![["variant".to_owned(), "seeds".to_owned()].into_iter().chain(headings).chain([last]).collect::<Vec<_>>()];
    for row in &results.variants {
        let seeds = format!("{}/{}", row.finished(), row.runs.len());
        let cells = results.metrics.iter().map(|column| cell(column, row));
        rows.push([row.name.clone(), seeds].into_iter().chain(cells).chain([row.changes()]).collect());
    }
    let numbers = results.metrics.iter().map(|_| Side::Right);
    let sides: Vec<Side> = [Side::Left, Side::Right].into_iter().chain(numbers).chain([Side::Left]).collect();
    let mut text = format!("{}\nmean ± standard deviation over seeds\n\n{}\n", results.name, table(&sides, &rows));
    for (row, run, error) in results.failures() {
        text += &format!("{}, seed {} failed: {error}\n", row.name, run.seed);
    }
    let files: [(&str, PathBuf); 2] = [("report", folder.join("report.html")), ("tables", folder.join("results.{md,csv,json}"))];
    for (name, path) in files {
        text += &format!("{name:<8} {}\n", path.display());
    }
    text
}
