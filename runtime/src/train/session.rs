//! One call of `train`: both stages or one of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use larp_traits::Device;

use super::changes;
use super::checkpoint::newest;
use super::generator::GeneratorTask;
use super::stage::{End, run_stage};
use super::tokenizer::TokenizerTask;
use crate::data::Dataset;
use crate::pipeline::{Pipeline, Train};
use crate::report::files::{ENVIRONMENT, METRICS, SUMMARY};
use crate::report::{
    Environment, EnvironmentInput, EventWriter, MetricRecord, MetricsWriter, Stage, StageSummary, Summary, Warning, read_json,
    write_json, write_report,
};
use crate::run::RunFolder;
use crate::use_run::load_tokenizer;
use crate::{RuntimeError, device};

/// Which stages to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StageChoice {
    /// The tokenizer with its prior.
    Tokenizer,
    /// The generator, on the tokens of the run's tokenizer.
    Generator,
    /// Both; the generator only where the pipeline has one.
    #[default]
    All,
}

/// What to train, and where.
#[derive(Debug)]
pub struct TrainRequest {
    /// Checked settings.
    pub pipeline: Pipeline,
    /// The run folder.
    pub run: PathBuf,
    /// The stages.
    pub stage: StageChoice,
    /// `cpu`, `libtorch`, ...
    pub device: String,
    /// Whether to go on with what is in the folder.
    pub resume: bool,
    /// Whether to go on with other settings or data than the run was started with; what differs is a warning then.
    pub allow_changes: bool,
    /// Set from outside (SIGINT): the run saves a checkpoint and stops.
    pub interrupted: Arc<AtomicBool>,
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// Interrupted; a checkpoint is saved.
    Interrupted,
}

/// What happens while a run goes on.
#[derive(Debug, Clone)]
pub enum Event {
    /// A stage begins, or goes on at `from`.
    StageStarted {
        /// The stage.
        stage: Stage,
        /// Steps that are done already.
        from: usize,
        /// Steps in all.
        total: usize,
        /// Values that are learned.
        parameters: usize,
    },
    /// A step is done.
    Step {
        /// The stage.
        stage: Stage,
        /// Steps done.
        step: usize,
        /// Steps in all.
        total: usize,
        /// Its loss.
        loss: f64,
        /// Clips a second since the last line of the log.
        rate: f64,
    },
    /// A line was logged.
    Logged(MetricRecord),
    /// Held-out clips were measured.
    Evaluated {
        /// The stage.
        stage: Stage,
        /// Steps done.
        step: usize,
        /// The numbers.
        values: BTreeMap<String, f64>,
    },
    /// A checkpoint was written.
    Saved {
        /// Its folder.
        path: PathBuf,
    },
    /// Clips are tokenized for the generator.
    Tokenizing {
        /// Clips done.
        done: usize,
        /// Clips in all.
        total: usize,
    },
}

/// Is told what happens.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event);
}

/// What both stages work with.
pub(super) struct Session<'a> {
    pub run: RunFolder,
    pub train: Train,
    pub dataset: Arc<dyn Dataset>,
    pub device: &'a Device,
    pub observer: &'a mut dyn Observer,
    pub interrupted: Arc<AtomicBool>,
    summary: Summary,
    log: Option<(MetricsWriter, EventWriter)>,
}

/// Trains.
///
/// # Errors
/// When settings, device or data cannot work, or a file cannot be written. What was saved stays: the run can be resumed.
pub fn run(request: TrainRequest, observer: &mut dyn Observer) -> Result<Outcome, RuntimeError> {
    let TrainRequest { pipeline, run, stage, device: device_name, resume, allow_changes, interrupted } = request;
    pipeline.plan()?;
    if stage == StageChoice::Generator && pipeline.generator.is_none() {
        return Err(RuntimeError::Request(format!("the pipeline `{}` has no generator", pipeline.name)));
    }
    let device = device_for(&pipeline, &device_name)?;
    let dataset = pipeline.data.open(pipeline.clip.shape())?;
    // both are built once before anything is written: what cannot be built leaves no run folder behind
    pipeline.outline_tokenizer(&device)?;
    pipeline.outline_generator(dataset.classes().len(), &device)?;
    let perceptual = if stage == StageChoice::Generator { None } else { pipeline.build_perceptual(&device)? };
    let (run, changed) = changes::start(&run, &pipeline, &dataset, resume, allow_changes)?;
    let environment = Environment::capture(EnvironmentInput { device: device_name, seed: pipeline.train.seed, git_commit: None });
    write_json(&run.path.join(ENVIRONMENT), &environment)?;
    let summary =
        Summary { pipeline: pipeline.name.clone(), complete: false, seconds: 0.0, stages: Vec::new(), warnings: Vec::new() };
    let summary = read_json(&run.path.join(SUMMARY)).unwrap_or(summary);
    let train = pipeline.train.clone();
    let mut session = Session { run, train, dataset, device: &device, observer, interrupted, summary, log: None };
    changed.into_iter().try_for_each(|warning| session.warn(warning))?;
    if stage != StageChoice::Generator {
        let task = TokenizerTask::new(&pipeline, session.dataset.clone(), perceptual, &device)?;
        if let End::Interrupted = run_stage(&task, pipeline.build_tokenizer(&device)?, &mut session)? {
            return Ok(Outcome::Interrupted);
        }
    }
    if stage != StageChoice::Tokenizer
        && let Some(generator) = pipeline.build_generator(session.dataset.classes().len(), &device)?
    {
        let Some(checkpoint) = newest(&session.run.path, Stage::Tokenizer)? else {
            let message = "it holds no trained tokenizer yet; train it first with `--stage tokenizer`".into();
            return Err(RuntimeError::Run { path: session.run.path, message });
        };
        let tokenizer = load_tokenizer(&pipeline, &checkpoint, &device)?;
        let Some(task) = GeneratorTask::new(&pipeline, generator.condition(), tokenizer, &checkpoint, &mut session)? else {
            return Ok(Outcome::Interrupted);
        };
        if let End::Interrupted = run_stage(&task, generator, &mut session)? {
            return Ok(Outcome::Interrupted);
        }
    }
    session.finish()?;
    Ok(Outcome::Finished)
}

/// The device of a name, when it can compute in the precision of the pipeline.
pub(super) fn device_for(pipeline: &Pipeline, name: &str) -> Result<Device, RuntimeError> {
    let device = device::parse(name)?;
    let checked = pipeline.train.precision.check("train.precision", &device);
    checked.map_err(|error| pipeline.settings_error(error))?;
    Ok(device)
}

impl<'a> Session<'a> {
    /// One that writes nothing: for steps on trial.
    pub fn without_folder(
        pipeline: &Pipeline,
        dataset: Arc<dyn Dataset>,
        device: &'a Device,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let summary =
            Summary { pipeline: pipeline.name.clone(), complete: false, seconds: 0.0, stages: Vec::new(), warnings: Vec::new() };
        let (run, train, interrupted) = (RunFolder { path: PathBuf::new() }, pipeline.train.clone(), Arc::default());
        Self { run, train, dataset, device, observer, interrupted, summary, log: None }
    }

    /// Opens the logs for a stage that goes on after `last_step`.
    pub fn open_log(&mut self, stage: Stage, last_step: Option<u64>) -> Result<(), RuntimeError> {
        let metrics = MetricsWriter::resume(&self.run.path.join(METRICS), stage, last_step)?;
        let events = match self.log.take() {
            Some((_, events)) => events,
            None => EventWriter::create(&self.run.path.join("tensorboard"))?,
        };
        self.log = Some((metrics, events));
        // what is going to happen again will be said again
        self.summary.warnings.retain(|warning| warning.stage != stage || last_step.is_some_and(|last| warning.step <= last));
        Ok(())
    }

    /// Tells of something that bears on the run's numbers: in the log, the summary and the report.
    pub fn warn(&mut self, warning: Warning) -> Result<(), RuntimeError> {
        tracing::warn!("{warning}");
        self.summary.warnings.push(warning);
        Ok(write_json(&self.run.path.join(SUMMARY), &self.summary)?)
    }

    /// Adds a line to the logs.
    pub fn record(&mut self, record: MetricRecord) -> Result<(), RuntimeError> {
        if let Some((metrics, events)) = &mut self.log {
            metrics.write(&record)?;
            events.write(&record)?;
        }
        self.observer.event(&Event::Logged(record));
        Ok(())
    }

    /// Notes where a stage stands.
    pub fn summarize(&mut self, stage: StageSummary) -> Result<(), RuntimeError> {
        self.summary.stages.retain(|known| known.stage != stage.stage);
        self.summary.stages.push(stage);
        self.summary.stages.sort_by_key(|stage| stage.stage);
        self.summary.seconds = self.summary.stages.iter().map(|stage| stage.seconds).sum();
        Ok(write_json(&self.run.path.join(SUMMARY), &self.summary)?)
    }

    fn finish(&mut self) -> Result<(), RuntimeError> {
        self.run.write_problems(self.dataset.as_ref())?;
        self.summary.complete = true;
        write_json(&self.run.path.join(SUMMARY), &self.summary)?;
        write_report(&self.run.path)?;
        Ok(())
    }
}
