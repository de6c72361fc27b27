//! `analyze`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use larp_runtime::analyze::{
    self, ClipChoice, CodebookRequest, DominanceRequest, FOLDER, HeatmapRequest, InfluenceRequest, NgramRequest, Output, Record,
    RepetitionRequest, Sampled, SequenceSource,
};
use larp_runtime::data::DataSettings;
use larp_runtime::media::ffmpeg_available;
use larp_runtime::report::{files, write_report};
use larp_runtime::use_run::TrainedRun;
use larp_runtime::{device, run::RunFolder};

use super::bar::Bar;
use crate::args::{AnalyzeCommand, ClipArgs, OutputArgs, SourceArgs};
use crate::output::{Side, print, print_json, table};
use crate::terminal::Terminal;

/// An analysis that is asked for: its name, heading, sources and where it goes.
struct Wanted<'a> {
    name: &'static str,
    title: &'static str,
    sources: &'a [PathBuf],
    output: &'a OutputArgs,
}

/// Runs an analysis and prints what it found.
pub fn analyze(command: &AnalyzeCommand, terminal: &Terminal) -> Result<()> {
    let bar = Bar::new(terminal);
    let progress = &mut |done: u64, total: u64, what: &str| bar.show(done, total, what);
    match command {
        AnalyzeCommand::Repetition(args) => {
            let wanted = Wanted::new("repetition", "Repeated frames", &args.runs, &args.output);
            let runs = analyze::open_runs(&args.runs, &wanted.device()?)?;
            let request = RepetitionRequest { clips: clips(&args.clips, args.count)? };
            let record = analyze::repetition(&runs, &request, wanted.open()?, progress);
            wanted.show(record?)
        }
        AnalyzeCommand::TokenInfluence(args) => {
            let wanted =
                Wanted::new("token-influence", "Influence of single tokens", std::slice::from_ref(&args.run), &args.output);
            let request = InfluenceRequest { clips: clips(&args.clips, args.count)?, seed: args.seed };
            let record = analyze::token_influence(&wanted.run()?, &request, wanted.open()?, progress);
            wanted.show(record?)
        }
        AnalyzeCommand::TokenHeatmap(args) => {
            let wanted =
                Wanted::new("token-heatmap", "Where and when a token acts", std::slice::from_ref(&args.run), &args.output);
            let request = HeatmapRequest {
                clips: clips(&args.clips, args.count)?,
                tokens: args.token.clone(),
                replacement: args.replace_by.into(),
                seed: args.seed,
                with_mp4: ffmpeg_available(),
            };
            let record = analyze::token_heatmap(&wanted.run()?, &request, wanted.open()?, progress);
            wanted.show(record?)
        }
        AnalyzeCommand::Ngrams(args) => {
            let wanted = Wanted::new("ngrams", "n-grams of token sequences", &args.sources.sources, &args.output);
            let sources = sources(&args.sources, &wanted, progress)?;
            let request = NgramRequest { sizes: args.n.clone(), below: args.below, memory: args.sources.memory << 20 };
            let record = analyze::ngrams(&sources, &request, wanted.open()?, progress);
            wanted.show(record?)
        }
        AnalyzeCommand::ClassDominance(args) => {
            let wanted = Wanted::new("class-dominance", "Class dominance of 2-grams", &args.sources.sources, &args.output);
            let sources = sources(&args.sources, &wanted, progress)?;
            let request = DominanceRequest { threshold: args.threshold, memory: args.sources.memory << 20 };
            let record = analyze::class_dominance(&sources, request, wanted.open()?, progress);
            wanted.show(record?)
        }
        AnalyzeCommand::Codebook(args) => {
            let wanted = Wanted::new("codebook", "Codebook", std::slice::from_ref(&args.run), &args.output);
            let request = CodebookRequest { clips: clips(&args.clips, args.count)? };
            let record = analyze::codebook(&wanted.run()?, &request, wanted.open()?, progress);
            wanted.show(record?)
        }
    }
}

impl<'a> Wanted<'a> {
    fn new(name: &'static str, title: &'static str, sources: &'a [PathBuf], output: &'a OutputArgs) -> Self {
        Self { name, title, sources, output }
    }

    fn device(&self) -> Result<larp_traits::Device> {
        Ok(device::parse(&self.output.device.device)?)
    }

    fn run(&self) -> Result<TrainedRun> {
        Ok(TrainedRun::open(&self.sources[0], &self.device()?)?)
    }

    fn folder(&self) -> Result<PathBuf> {
        match (&self.output.output, self.sources.iter().find(|source| source.is_dir())) {
            (Some(folder), _) => Ok(folder.clone()),
            (None, Some(run)) => Ok(run.join(FOLDER).join(self.name)),
            (None, None) => anyhow::bail!("there is no run to write into; name a folder by `-o`"),
        }
    }

    fn open(&self) -> Result<Output> {
        Ok(Output::new(&self.folder()?, self.name, self.title))
    }

    /// Prints the result, after the page of the run that it was written into.
    fn show(&self, record: Record) -> Result<()> {
        let folder = self.folder()?;
        let report = match folder.parent().filter(|parent| parent.file_name().is_some_and(|name| name == FOLDER)) {
            Some(parent) => parent.parent().filter(|run| run.join(files::PIPELINE).is_file()).map(write_report).transpose()?,
            None => None,
        };
        if self.output.json { print_json(&record) } else { print(&text(&record, &folder, report.as_deref())) }
    }
}

/// Table, notes and files.
fn text(record: &Record, folder: &Path, report: Option<&Path>) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(&record.table.columns).chain(&record.table.rows).cloned().collect();
    let sides = vec![Side::Left; record.table.columns.len()];
    let notes: String = record.notes.iter().map(|note| format!("{note}\n")).collect();
    let pictures = record.pictures.iter().map(|picture| &picture.file);
    let files = pictures.chain(&record.files).map(|file| format!("{}\n", folder.join(file).display())).collect::<String>();
    let report = report.map(|report| format!("{}\n", report.display())).unwrap_or_default();
    format!("{}\n{notes}\n{files}{report}", table(&sides, &rows))
}

fn clips(args: &ClipArgs, count: usize) -> Result<ClipChoice> {
    let data = args.data.as_deref().map(DataSettings::from_source).transpose()?;
    Ok(ClipChoice { data, split: args.split.into(), count })
}

/// Files as they are; of runs, sequences that are sampled beside the results.
fn sources(args: &SourceArgs, wanted: &Wanted<'_>, progress: &mut dyn FnMut(u64, u64, &str)) -> Result<Vec<SequenceSource>> {
    let folder = wanted.folder()?;
    let device = wanted.device()?;
    let names = analyze::names(args.sources.iter().map(PathBuf::as_path));
    let mut sources = Vec::new();
    for (index, (path, name)) in args.sources.iter().zip(names).enumerate() {
        let source = if path.is_file() {
            SequenceSource::of_file(path)?
        } else {
            RunFolder::open(path)?;
            let run = TrainedRun::open(path, &device)?;
            let mut sampling = args.sampling.over(run.pipeline.sampling);
            sampling.cfg_scale = args.cfg.unwrap_or(sampling.cfg_scale);
            let sampled = Sampled { count: args.count, sampling, seed: args.sampling.seed };
            let file = folder.join(format!("tokens-{index}.safetensors"));
            SequenceSource::sample(&run, &sampled, &file, progress)
                .with_context(|| format!("cannot sample from `{}`", path.display()))?
        };
        sources.push(SequenceSource { name, ..source });
    }
    Ok(sources)
}
