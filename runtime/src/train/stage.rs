//! The loop that both stages share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use burn::module::{AutodiffModule, Module};
use burn::optim::{GradientsAccumulator, GradientsParams};
use larp_traits::tensor::scalar;
use larp_traits::{Backend, Draw, Progress, Stream, Tensor, params, state};

use super::checkpoint::{self, Checkpoint, Contents, LogSums};
use super::collapse::Collapse;
use super::dead_codes::Uses;
use super::ema::Ema;
use super::gradients::{clip, global_norm};
use super::optimizer::Optimizer;
use super::schedule::learning_rate;
use super::session::{Event, Session};
use super::watchdog::{Watchdog, diverged};
use crate::RuntimeError;
use crate::pipeline::OptimizerSettings;
use crate::report::{MetricRecord, MetricSplit, Stage, StageSummary, Warning, step_folder, write_report};

/// Numbers of a stage's loop.
pub(super) struct Schedule<'a> {
    pub steps: usize,
    pub batch_size: usize,
    pub accumulation: usize,
    pub optimizer: &'a OptimizerSettings,
    pub ema_decay: f64,
}

/// The loss of one forward pass, and its parts for the log.
pub(super) struct Loss {
    pub total: Tensor<1>,
    pub parts: Vec<(&'static str, Tensor<1>)>,
}

/// Numbers of what is trained beside the model.
pub(super) type Beside = Vec<(&'static str, f64)>;

/// An endless sequence of batches.
pub(super) type Batches<B> = Box<dyn Iterator<Item = Result<B, RuntimeError>>>;

/// What the two stages differ in.
pub(super) trait Task: Sync {
    type Model: AutodiffModule<Backend>;
    type Batch: Send;

    const STAGE: Stage;

    fn schedule(&self) -> Schedule<'_>;

    /// The batches from number `first` on, counted in forward passes.
    fn batches(&self, first: u64) -> Result<Batches<Self::Batch>, RuntimeError>;

    fn loss(&self, model: &Self::Model, batch: Self::Batch, at: Progress, draw: Draw) -> Loss;

    /// Trains what stands beside the model, before a step of the model on the same inputs; gives numbers for the log.
    fn train_beside(&self, _: &Self::Model, _: &[(Self::Batch, Draw)], _: Progress, _learning_rate: f64) -> Beside {
        Beside::new()
    }

    /// Writes what stands beside the model into the folder of a checkpoint.
    fn save_beside(&self, _: &Path) -> Result<(), RuntimeError> {
        Ok(())
    }

    /// Reads it back.
    fn load_beside(&self, _: &Path) -> Result<(), RuntimeError> {
        Ok(())
    }

    /// What a model gets from the data before its first step.
    fn start(&self, model: Self::Model) -> Result<Self::Model, RuntimeError> {
        Ok(model)
    }

    /// Measures a model without gradients, and leaves pictures in `samples`.
    fn evaluate(&self, model: &Self::Model, samples: &Path) -> Result<BTreeMap<String, f64>, RuntimeError>;

    /// Takes up what a checkpoint holds of its counts; called before the first step.
    fn restore(&self, _model: &Self::Model, _code_uses: Option<Uses>) -> Result<(), RuntimeError> {
        Ok(())
    }

    /// Its counts, for a checkpoint.
    fn code_uses(&self) -> Option<Uses> {
        None
    }

    /// A step was skipped.
    fn skipped(&self) {}

    /// A step, counted from 1, has changed the model and its average, which may be changed once more here.
    fn finished(&self, _step: usize, _models: &mut [&mut Self::Model]) {}

    /// Factor on the learning rate of a parameter.
    fn learning_rate_multiplier(&self, _path: &str) -> f64 {
        1.0
    }
}

/// How a stage ended.
pub(super) enum End {
    Finished,
    Interrupted,
}

/// Trains `model` to the last step, from the newest checkpoint of the run on.
pub(super) fn run_stage<T: Task>(task: &T, model: T::Model, session: &mut Session<'_>) -> Result<End, RuntimeError> {
    let start = checkpoint::newest(&session.run.path, T::STAGE)?;
    session.open_log(T::STAGE, start.as_ref().map(|checkpoint| checkpoint.step))?;
    let mut log = Log::new(start.as_ref().map(|checkpoint| checkpoint.log.clone()).unwrap_or_default());
    let mut state = State::new(task, model, start, session)?;
    let total = task.schedule().steps;
    session.observer.event(&Event::StageStarted { stage: T::STAGE, from: state.step, total, parameters: state.parameters });
    let mut batches = task.batches((state.step * task.schedule().accumulation) as u64)?;
    while state.step < total {
        let loss = state.advance(task, &mut batches, &mut log, session)?;
        session.observer.event(&Event::Step { stage: T::STAGE, step: state.step, total, loss, rate: log.rate() });
        let step = state.step;
        let at = |every: usize| step.is_multiple_of(every) || step == total;
        if at(session.train.log_every) {
            let mut values = log.take();
            values.insert("skipped_steps".into(), state.watchdog.skipped as f64);
            session.record(state.record(T::STAGE, MetricSplit::Train, values))?;
        }
        if at(session.train.evaluate_every) {
            state.evaluate(task, session)?;
        }
        let interrupted = session.interrupted.load(Ordering::Relaxed);
        if session.train.max_skipped_in_a_row > 0 && state.watchdog.in_a_row >= session.train.max_skipped_in_a_row {
            return Err(diverged(T::STAGE, state.step, state.watchdog, &session.run.path));
        }
        // none in the middle of skipped steps: the ones before them are better to go back to
        let good = state.watchdog.in_a_row == 0 || state.step == total;
        if at(session.train.checkpoint_every) && good || interrupted {
            state.save(task, &log, session)?;
        }
        if interrupted && state.step < total {
            return Ok(End::Interrupted);
        }
    }
    if total == 0 && checkpoint::newest(&session.run.path, T::STAGE)?.is_none() {
        state.save(task, &log, session)?;
    }
    Ok(End::Finished)
}

/// A step on trial.
pub(super) struct Trial {
    pub loss: f64,
    pub seconds: f64,
    /// What a line of the log would have.
    pub values: BTreeMap<String, f64>,
}

/// Takes the first `COUNT` steps of a stage, and saves nothing.
pub(super) fn trial_steps<T: Task, const COUNT: usize>(
    task: &T,
    model: T::Model,
    session: &Session<'_>,
) -> Result<[Trial; COUNT], RuntimeError> {
    let mut state = State::new(task, model, None, session)?;
    let (mut batches, mut log) = (task.batches(0)?, Log::new(LogSums::default()));
    let mut steps = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let clock = Instant::now();
        let loss = state.advance(task, &mut batches, &mut log, session)?;
        steps.push(Trial { loss, seconds: clock.elapsed().as_secs_f64(), values: log.take() });
    }
    Ok(steps.try_into().unwrap_or_else(|_| unreachable!("as many as were asked for")))
}

/// What one forward and backward pass gives.
struct Pass {
    loss: f64,
    parts: Vec<(&'static str, f64)>,
    gradients: GradientsParams,
}

/// The passes of a step, in order, several at once where `train.threads` allows: each thread has its own graph on a fork of the
/// model, so the numbers do not depend on how many there are.
fn passes<T: Task>(task: &T, model: &T::Model, inputs: Vec<(T::Batch, Draw)>, at: Progress, session: &Session<'_>) -> Vec<Pass> {
    let (share, precision) = (1.0 / inputs.len() as f64, session.train.precision);
    let pass = &|model: T::Model, batch, draw| {
        let Loss { total, parts } = precision.within(|| task.loss(&model, batch, at, draw));
        let loss = f64::from(scalar(total.clone()));
        let parts = parts.into_iter().map(|(name, value)| (name, f64::from(scalar(value)))).collect();
        Pass { loss, parts, gradients: GradientsParams::from_grads(total.mul_scalar(share).backward(), &model) }
    };
    let threads = session.train.threads.min(inputs.len());
    if threads <= 1 {
        return inputs.into_iter().map(|(batch, draw)| pass(model.clone(), batch, draw)).collect();
    }
    let mut done = Vec::with_capacity(inputs.len());
    let mut inputs = inputs.into_iter().peekable();
    while inputs.peek().is_some() {
        let group: Vec<_> = inputs.by_ref().take(threads).map(|input| (input, model.clone().fork(session.device))).collect();
        std::thread::scope(|scope| {
            let running: Vec<_> =
                group.into_iter().map(|((batch, draw), model)| scope.spawn(move || pass(model, batch, draw))).collect();
            done.extend(running.into_iter().map(|thread| match thread.join() {
                Ok(pass) => pass,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
        });
    }
    done
}

/// A stage on its way.
struct State<M: AutodiffModule<Backend>> {
    /// Taken while the optimiser changes it.
    model: Option<M>,
    average: Option<Ema<M>>,
    optimizer: Optimizer<M>,
    step: usize,
    parameters: usize,
    elapsed: f64,
    clock: Instant,
    watchdog: Watchdog,
    collapse: Collapse,
}

impl<M: AutodiffModule<Backend>> State<M> {
    fn new<T: Task<Model = M>>(
        task: &T,
        mut model: M,
        start: Option<Checkpoint>,
        session: &Session<'_>,
    ) -> Result<Self, RuntimeError> {
        let schedule = task.schedule();
        let parameters = params::count(&model);
        let mut optimizer = Optimizer::new(schedule.optimizer, &model, |path| task.learning_rate_multiplier(path));
        let (mut step, mut elapsed) = (0, 0.0);
        let (watchdog, collapse, code_uses) = match &start {
            Some(checkpoint) => (checkpoint.watchdog, checkpoint.collapse, checkpoint.code_uses.clone()),
            None => Default::default(),
        };
        let average = match &start {
            None => {
                model = task.start(model)?;
                Ema::new(&model, schedule.ema_decay)
            }
            Some(checkpoint) => {
                state::load_file(&mut model, &checkpoint.model())?;
                if let Some(bytes) = checkpoint.optimizer()? {
                    optimizer = optimizer
                        .load_bytes(bytes, session.device)
                        .map_err(|message| RuntimeError::content(&checkpoint.path, message))?;
                }
                task.load_beside(&checkpoint.path)?;
                (step, elapsed) = (checkpoint.step as usize, checkpoint.elapsed_seconds);
                let mut average = Ema::new(&model, schedule.ema_decay);
                if let (Some(average), Some(path)) = (&mut average, checkpoint.average()) {
                    state::load_file(&mut average.average, &path)?;
                }
                average
            }
        };
        task.restore(&model, code_uses)?;
        let clock = Instant::now();
        Ok(Self { model: Some(model), average, optimizer, step, parameters, elapsed, clock, watchdog, collapse })
    }

    fn model(&self) -> &M {
        self.model.as_ref().expect("there between the steps")
    }

    fn seconds(&self) -> f64 {
        self.elapsed + self.clock.elapsed().as_secs_f64()
    }

    fn record(&self, stage: Stage, split: MetricSplit, values: BTreeMap<String, f64>) -> MetricRecord {
        MetricRecord { stage, split, step: self.step as u64, elapsed_seconds: self.seconds(), values }
    }

    /// One optimiser step; gives its loss.
    fn advance<T: Task<Model = M>>(
        &mut self,
        task: &T,
        batches: &mut Batches<T::Batch>,
        log: &mut Log,
        session: &Session<'_>,
    ) -> Result<f64, RuntimeError> {
        let schedule = task.schedule();
        let at = Progress { step: self.step, total: schedule.steps };
        let stream = Stream::new(session.train.seed).fork(T::STAGE.name()).at(self.step as u64);
        let model = self.model.take().expect("there between the steps");
        let mut inputs = Vec::with_capacity(schedule.accumulation);
        for pass in 0..schedule.accumulation {
            let batch = batches.next().ok_or_else(|| RuntimeError::Request("the data ended before the last step".into()))??;
            inputs.push((batch, Draw::Stream(stream.at(pass as u64))));
        }
        let rate = learning_rate(schedule.optimizer, self.step, schedule.steps);
        for (name, value) in task.train_beside(&model, &inputs, at, rate) {
            log.add_sometimes(name, value);
        }
        let mut accumulator = GradientsAccumulator::new();
        let (mut mean_loss, mut parts) = (0.0, Vec::new());
        let share = 1.0 / schedule.accumulation as f64;
        for pass in passes(task, &model, inputs, at, session) {
            mean_loss += pass.loss * share;
            parts.extend(pass.parts.iter().map(|(name, value)| (*name, value * share)));
            accumulator.accumulate(&model, pass.gradients);
        }
        let mut gradients = accumulator.grads();
        let norm = global_norm(&model, &gradients);
        self.step += 1;
        if !self.watchdog.allows(mean_loss, norm) {
            self.model = Some(model);
            task.skipped();
            log.skipped(schedule.batch_size * schedule.accumulation);
            return Ok(mean_loss);
        }
        if schedule.optimizer.clip_norm > 0.0 {
            clip(&model, &mut gradients, norm, schedule.optimizer.clip_norm);
        }
        let mut model = self.optimizer.step(model, gradients, rate);
        self.average = self.average.take().map(|average| average.update(&model));
        let mut models = vec![&mut model];
        models.extend(self.average.as_mut().map(|average| &mut average.average));
        task.finished(self.step, &mut models);
        self.model = Some(model);
        log.add("loss", mean_loss);
        parts.into_iter().for_each(|(name, value)| log.add(name, value));
        log.add("grad_norm", norm);
        log.add("learning_rate", rate);
        log.step(schedule.batch_size * schedule.accumulation);
        Ok(mean_loss)
    }

    fn evaluate<T: Task<Model = M>>(&mut self, task: &T, session: &mut Session<'_>) -> Result<(), RuntimeError> {
        let frozen = match &self.average {
            Some(average) => average.average.clone(),
            None => self.model().clone().no_grad(),
        };
        let samples = step_folder(&session.run.path, T::STAGE, self.step as u64);
        let values = task.evaluate(&frozen, &samples)?;
        if let Some(message) = self.collapse.evaluated(&values, session.train.collapse) {
            session.warn(Warning { stage: T::STAGE, step: self.step as u64, message })?;
        }
        let record = self.record(T::STAGE, MetricSplit::Validation, values);
        session.record(record.clone())?;
        session.run.write_problems(session.dataset.as_ref())?;
        session.summarize(StageSummary {
            stage: T::STAGE,
            steps: record.step,
            seconds: record.elapsed_seconds,
            parameters: self.parameters as u64,
            metrics: record.values.clone(),
        })?;
        write_report(&session.run.path)?;
        session.observer.event(&Event::Evaluated { stage: T::STAGE, step: self.step, values: record.values });
        Ok(())
    }

    fn save<T: Task<Model = M>>(&self, task: &T, log: &Log, session: &mut Session<'_>) -> Result<(), RuntimeError> {
        let contents = Contents {
            stage: T::STAGE,
            step: self.step as u64,
            elapsed_seconds: self.seconds(),
            model: self.model(),
            average: self.average.as_ref().map(|average| &average.average),
            optimizer: self.optimizer.to_bytes().map_err(RuntimeError::Request)?,
            log: log.sums.clone(),
            beside: &|folder| task.save_beside(folder),
            watchdog: self.watchdog,
            collapse: self.collapse,
            code_uses: task.code_uses(),
        };
        let saved = checkpoint::write(&session.run.path, contents, session.train.keep_checkpoints)?;
        session.observer.event(&Event::Saved { path: saved.path });
        Ok(())
    }
}

/// Means since the last line of the log, and the rate of this process.
struct Log {
    sums: LogSums,
    clips: usize,
    since: Instant,
}

impl Log {
    fn new(sums: LogSums) -> Self {
        Self { sums, clips: 0, since: Instant::now() }
    }

    fn add(&mut self, name: &str, value: f64) {
        *self.sums.sums.entry(name.to_owned()).or_default() += value;
    }

    /// Adds a number that not every step has: its mean is over those that have it.
    fn add_sometimes(&mut self, name: &str, value: f64) {
        self.add(name, value);
        *self.sums.counts.entry(name.to_owned()).or_default() += 1;
    }

    fn step(&mut self, clips: usize) {
        self.sums.steps += 1;
        self.clips += clips;
    }

    fn skipped(&mut self, clips: usize) {
        self.clips += clips;
    }

    /// Clips a second.
    fn rate(&self) -> f64 {
        self.clips as f64 / self.since.elapsed().as_secs_f64().max(1e-9)
    }

    fn take(&mut self) -> BTreeMap<String, f64> {
        let rate = self.rate();
        let LogSums { sums, steps, counts } = std::mem::replace(self, Self::new(LogSums::default())).sums;
        let count = |name: &str| counts.get(name).copied().unwrap_or(steps).max(1) as f64;
        let mut values: BTreeMap<_, _> = sums.into_iter().map(|(name, sum)| (name.clone(), sum / count(&name))).collect();
        values.insert("clips_per_second".into(), rate);
        values
    }
}
