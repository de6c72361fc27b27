//! Runs what is missing, and writes the results.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Instant;

use super::child::Training;
use super::error::AblateError;
use super::export;
use super::folder::{AblationFolder, RunState};
use super::measure::{Measure, MeasureInput};
use super::page::write_page;
use super::plan::{Plan, SubRun, write_pipeline};
use super::results::Results;

/// What to run, and where.
pub struct AblateRequest {
    /// The variants and seeds.
    pub plan: Plan,
    /// Where the numbers come from.
    pub measures: Vec<Box<dyn Measure>>,
    /// The folder.
    pub folder: PathBuf,
    /// Runs at the same time.
    pub jobs: usize,
    /// `cpu`, `libtorch`, ...
    pub device: String,
    /// Whether to go on with what is in the folder.
    pub resume: bool,
    /// The program that has the command `train`.
    pub program: PathBuf,
    /// Set from outside (SIGINT): runs save a checkpoint and stop.
    pub interrupted: Arc<AtomicBool>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AblateOutcome {
    /// The table.
    pub results: Results,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// What happens while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum AblateEvent {
    /// The folder was looked through.
    Found {
        /// Runs that are finished already.
        finished: usize,
        /// Runs in all.
        total: usize,
    },
    /// A run begins or goes on.
    Started {
        /// The variant's name.
        variant: String,
        /// The seed.
        seed: u64,
        /// Whether it goes on.
        resumed: bool,
    },
    /// A run ended.
    Ended {
        /// The variant's name.
        variant: String,
        /// The seed.
        seed: u64,
        /// How.
        state: RunState,
        /// Wall time of this process.
        seconds: f64,
    },
}

/// Is told what happens.
pub trait AblateObserver {
    /// Something happened.
    fn event(&mut self, event: &AblateEvent);
}

/// Trains what is missing, measures, and writes table and page. A run that fails does not stop the others.
///
/// # Errors
/// When the folder cannot be used, or a file cannot be written.
pub fn run(request: &AblateRequest, observer: &mut dyn AblateObserver) -> Result<AblateOutcome, AblateError> {
    let AblateRequest { plan, folder, resume, interrupted, .. } = request;
    crate::device::parse(&request.device).map_err(crate::RuntimeError::from)?;
    let folder = AblationFolder::start(folder, plan, *resume)?;
    let runs = plan.runs();
    let mut states: Vec<(SubRun, RunState)> = runs.iter().map(|&run| (run, folder.state(plan, run))).collect();
    let finished = states.iter().filter(|(_, state)| *state == RunState::Finished).count();
    observer.event(&AblateEvent::Found { finished, total: runs.len() });
    let mut failures = Vec::new();
    train(request, &folder, &mut states, &mut failures, observer)?;
    if let Some(error) = failures.pop() {
        return Err(error);
    }
    let results = Results::collect(plan, &folder, &states)?;
    write_results(&folder, plan, &results, &request.device)?;
    Ok(AblateOutcome { results, interrupted: interrupted.load(Ordering::Relaxed) })
}

/// `jobs` threads, each with one child at a time; table and page are written after each run, so that they can be looked at.
fn train(
    request: &AblateRequest,
    folder: &AblationFolder,
    states: &mut [(SubRun, RunState)],
    failures: &mut Vec<AblateError>,
    observer: &mut dyn AblateObserver,
) -> Result<(), AblateError> {
    let plan = &request.plan;
    let todo: Vec<usize> = (0..states.len()).collect();
    let queue = Mutex::new(todo.into_iter());
    let before: Vec<(SubRun, RunState)> = states.to_vec();
    let (sender, receiver) = mpsc::channel();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..request.jobs.max(1) {
            let (sender, queue, before, stop) = (sender.clone(), &queue, &before, &stop);
            scope.spawn(move || {
                while !request.interrupted.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
                    let Some(index) = queue.lock().unwrap_or_else(PoisonError::into_inner).next() else { break };
                    let (run, state) = &before[index];
                    let outcome = one(request, folder, *run, state, &|event| drop(sender.send(Message::Event(event))));
                    if outcome.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    drop(sender.send(Message::Done(index, outcome)));
                }
            });
        }
        drop(sender);
        for message in receiver {
            match message {
                Message::Event(event) => observer.event(&event),
                Message::Done(_, Err(error)) => failures.push(error),
                Message::Done(index, Ok(state)) => {
                    states[index].1 = state;
                    let written = Results::collect(plan, folder, states)
                        .and_then(|results| write_results(folder, plan, &results, &request.device));
                    failures.extend(written.err());
                }
            }
        }
    });
    Ok(())
}

enum Message {
    Event(AblateEvent),
    Done(usize, Result<RunState, AblateError>),
}

/// Trains a run, unless it is finished, and measures it with each variant that uses its weights.
fn one(
    request: &AblateRequest,
    folder: &AblationFolder,
    run: SubRun,
    before: &RunState,
    tell: &dyn Fn(AblateEvent),
) -> Result<RunState, AblateError> {
    let plan = &request.plan;
    let (variant, seed) = (plan.variants[run.variant].settings.name.clone(), run.seed);
    let mut state = before.clone();
    if *before != RunState::Finished {
        let started = Instant::now();
        tell(AblateEvent::Started { variant: variant.clone(), seed, resumed: *before == RunState::Unfinished });
        let pipeline = folder.pipeline(plan, run);
        write_pipeline(&pipeline, &plan.pipeline(run)?)?;
        let training = Training {
            program: &request.program,
            pipeline,
            run: folder.run(plan, run),
            log: folder.log(plan, run),
            device: &request.device,
            crowded: request.jobs > 1,
        };
        state = training.run(&request.interrupted)?;
        tell(AblateEvent::Ended { variant, seed, state: state.clone(), seconds: started.elapsed().as_secs_f64() });
    }
    if state == RunState::Finished {
        for variant in 0..plan.variants.len() {
            let own = SubRun { variant, seed };
            if plan.weights_of(own) == run
                && let Err(error) = measure(request, folder, own)
            {
                // a run that cannot be measured is as good as failed, and no reason to stop the others
                return Ok(RunState::Failed(format!("cannot be measured: {}", chain(&error))));
            }
        }
    }
    Ok(state)
}

fn measure(request: &AblateRequest, folder: &AblationFolder, run: SubRun) -> Result<(), AblateError> {
    let plan = &request.plan;
    let mut measured = folder.measured(plan, run)?;
    let mut missing: Vec<String> = plan.wanted();
    missing.retain(|name| !measured.values.contains_key(name) && !measured.absent.contains(name));
    if missing.is_empty() {
        return Ok(());
    }
    let (weights, pipeline) = (folder.run(plan, plan.weights_of(run)), plan.pipeline(run)?);
    for measure in &request.measures {
        let known = measure.names();
        let (metrics, others): (Vec<String>, Vec<String>) = missing.into_iter().partition(|name| known.contains(name));
        missing = others;
        if metrics.is_empty() {
            continue;
        }
        let input = MeasureInput {
            run: &weights,
            pipeline: &pipeline,
            metrics: &metrics,
            device: &request.device,
            protocol: &plan.file.protocol,
            program: &request.program,
        };
        let values = measure.measure(&input)?;
        measured.absent.extend(metrics.into_iter().filter(|name| !values.contains_key(name)));
        measured.values.extend(values);
        folder.write_measured(plan, run, &measured)?;
    }
    Ok(())
}

fn write_results(folder: &AblationFolder, plan: &Plan, results: &Results, device: &str) -> Result<(), AblateError> {
    export::write(&folder.path, results)?;
    write_page(&folder.path, plan, results, device)?;
    Ok(())
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
