//! What a run will cost: a few real steps of each stage, and nothing written.
//!
//! With a critic the tokenizer takes three: one in which memory is claimed, one without an update of the critic, one with it. Both are
//! against the critic, also where a run would have it start later: memory has to be enough for the largest step.

use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use larp_traits::{ConditionKind, Device};
use serde::Serialize;

use super::generator::GeneratorTask;
use super::session::{Event, Observer, Session, StageChoice, device_for};
use super::stage::{Task, Trial as Step, trial_steps};
use super::tokenizer::TokenizerTask;
use crate::data::{Dataset, Loader, LoaderSettings, Split};
use crate::inspect::{PartInfo, inspect};
use crate::pipeline::Pipeline;
use crate::report::Stage;
use crate::tokens::Tokens;
use crate::{RuntimeError, memory};

/// What a run will cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DryRun {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Where it was measured.
    pub device: String,
    /// The parts with their parameters.
    pub parts: Vec<PartInfo>,
    /// The stages that were tried.
    pub stages: Vec<StageCost>,
    /// Time of all stages together; evaluations, samples and checkpoints come on top.
    pub estimated_seconds: f64,
}

/// What one stage will cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageCost {
    /// The stage.
    pub stage: Stage,
    /// Values that are learned.
    pub parameters: usize,
    /// Clips or sequences of one forward pass.
    pub batch_size: usize,
    /// Forward passes of one step.
    pub accumulation: usize,
    /// Steps of the whole stage.
    pub steps: usize,
    /// The loss of each step that was taken.
    pub losses: Vec<f64>,
    /// The first step, in which memory is claimed and the optimiser's state is made.
    pub first_step_seconds: f64,
    /// The second step, which the others will be like; with a critic, one against it, without an update of it.
    pub step_seconds: f64,
    /// The steps that update the critic too; `None` without one.
    pub critic: Option<CriticCost>,
    /// The most resident memory of the process while the stage was tried, in bytes; memory of a GPU is not in it.
    pub peak_bytes: Option<u64>,
    /// What the stage waits for before its first step.
    pub tokenizing: Option<Tokenizing>,
    /// Steps, updates of the critic and tokenizing together; steps before the critic's start count like those after it.
    pub estimated_seconds: f64,
}

/// The steps of the tokenizer that begin with an update of the critic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CriticCost {
    /// How many of the stage's steps they are.
    pub updates: usize,
    /// The whole step, with the update.
    pub step_seconds: f64,
    /// The critic's loss in the update that was measured.
    pub loss: f64,
}

/// Clips to tokens, before the generator learns them. Those of the dry run come from a tokenizer that has learned nothing; they are
/// repeated to fill a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tokenizing {
    /// Clips that were tokenized to measure it.
    pub measured_clips: usize,
    /// Seconds a clip.
    pub clip_seconds: f64,
    /// Clips of the whole stage.
    pub clips: usize,
}

struct Quiet;

impl Observer for Quiet {
    fn event(&mut self, _: &Event) {}
}

/// Builds a pipeline and takes a few steps of each stage asked for.
///
/// # Errors
/// When settings, device or data cannot work.
pub fn dry_run(pipeline: &Pipeline, stage: StageChoice, device_name: &str) -> Result<DryRun, RuntimeError> {
    pipeline.plan()?;
    if stage == StageChoice::Generator && pipeline.generator.is_none() {
        return Err(RuntimeError::Request(format!("the pipeline `{}` has no generator", pipeline.name)));
    }
    let device = device_for(pipeline, device_name)?;
    let dataset = pipeline.data.open(pipeline.clip.shape())?;
    let parts = inspect(pipeline)?.parts;
    let trial = Trial { pipeline, dataset, device: &device };
    let mut stages = Vec::new();
    if stage != StageChoice::Generator {
        stages.push(trial.tokenizer()?);
    }
    if stage != StageChoice::Tokenizer && pipeline.generator.is_some() {
        stages.extend(trial.generator()?);
    }
    let estimated_seconds = stages.iter().map(|stage| stage.estimated_seconds).sum();
    Ok(DryRun { pipeline: pipeline.name.clone(), device: device_name.into(), parts, stages, estimated_seconds })
}

struct Trial<'a> {
    pipeline: &'a Pipeline,
    dataset: Arc<dyn Dataset>,
    device: &'a Device,
}

impl Trial<'_> {
    fn tokenizer(&self) -> Result<StageCost, RuntimeError> {
        memory::reset_peak();
        let mut pipeline = self.pipeline.clone();
        let critic = &mut pipeline.train.critic;
        (critic.start, critic.loss_start, critic.every) = (0, 0, 2);
        let perceptual = pipeline.build_perceptual(self.device)?;
        let task = TokenizerTask::new(&pipeline, self.dataset.clone(), perceptual, self.device)?;
        let model = pipeline.build_tokenizer(self.device)?;
        if !task.has_critic() {
            return Ok(self.cost::<_, 2>(&task, model)?.0);
        }
        let (mut cost, [_, without, with]) = self.cost(&task, model)?;
        let updates = self.pipeline.train.critic.updates(cost.steps);
        let loss = with.values.get("critic_loss").copied().unwrap_or(f64::NAN);
        let critic = CriticCost { updates, step_seconds: with.seconds, loss };
        cost.critic = Some(critic);
        cost.estimated_seconds += updates as f64 * (with.seconds - without.seconds).max(0.0);
        Ok(cost)
    }

    fn generator(&self) -> Result<Option<StageCost>, RuntimeError> {
        memory::reset_peak();
        let classes = self.dataset.classes();
        let Some(model) = self.pipeline.build_generator(classes.len(), self.device)? else { return Ok(None) };
        let given = match model.condition() {
            ConditionKind::Class => None,
            ConditionKind::Frames(condition) => Some(condition.frames),
        };
        let mut tokenizer = self.pipeline.build_tokenizer(self.device)?;
        tokenizer.prior = None;
        let tokenizer = tokenizer.no_grad();
        let train = &self.pipeline.train;
        let settings = LoaderSettings { workers: train.workers, ..LoaderSettings::new(Split::Train, 1, train.seed) };
        let wanted = train.tokenizer.batch_size.min(train.generator.batch_size);
        let mut samples = Vec::with_capacity(wanted);
        for batch in Loader::new(self.dataset.clone(), settings)?.take(wanted) {
            samples.extend(batch?.samples);
        }
        let mut tokens = Tokens::new(self.pipeline.plan()?.encoder.tokens);
        let clock = Instant::now();
        tokens.add(&tokenizer, &samples, given, self.device);
        let clip_seconds = clock.elapsed().as_secs_f64() / samples.len().max(1) as f64;
        let clips = match train.generator.cached_clips {
            0 => self.dataset.len(Split::Train),
            count => count,
        } + train.evaluation_clips;
        let task = GeneratorTask::with_tokens(self.pipeline, tokenizer, tokens.clone(), tokens, classes, self.device);
        let (mut cost, _) = self.cost::<_, 2>(&task, model)?;
        cost.tokenizing = Some(Tokenizing { measured_clips: samples.len(), clip_seconds, clips });
        cost.estimated_seconds += clip_seconds * clips as f64;
        Ok(Some(cost))
    }

    /// The first `COUNT` steps of a stage, at least two, and what it costs if its others are like the second.
    fn cost<T: Task, const COUNT: usize>(&self, task: &T, model: T::Model) -> Result<(StageCost, [Step; COUNT]), RuntimeError> {
        let parameters = larp_traits::params::count(&model);
        let mut quiet = Quiet;
        let session = Session::without_folder(self.pipeline, self.dataset.clone(), self.device, &mut quiet);
        let steps: [Step; COUNT] = trial_steps(task, model, &session)?;
        let (schedule, step_seconds) = (task.schedule(), steps[1].seconds);
        let cost = StageCost {
            stage: T::STAGE,
            parameters,
            batch_size: schedule.batch_size,
            accumulation: schedule.accumulation,
            steps: schedule.steps,
            losses: steps.iter().map(|step| step.loss).collect(),
            first_step_seconds: steps[0].seconds,
            step_seconds,
            critic: None,
            peak_bytes: memory::peak(),
            tokenizing: None,
            estimated_seconds: step_seconds * schedule.steps as f64,
        };
        Ok((cost, steps))
    }
}
