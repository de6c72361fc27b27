//! The second stage: the generator on the tokens of the frozen tokenizer (paper, appendix A.2).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use larp_traits::tensor::scalar;
use larp_traits::{Condition, ConditionKind, Device, Draw, DynGenerator, Progress, Stream};

use super::checkpoint::Checkpoint;
use super::held_out_frames::HeldOutFrames;
use super::session::{Event, Session};
use super::stage::{Batches, Loss, Schedule, Task};
use crate::RuntimeError;
use crate::data::random::permutation;
use crate::data::{Loader, LoaderSettings, Sample, Split, fixed};
use crate::evaluate::batches;
use crate::media::{ffmpeg_available, picture_scale, write_clip};
use crate::model::Tokenizer;
use crate::pipeline::{Pipeline, SamplingSettings, Train};
use crate::report::{Stage, generated_name};
use crate::tokens::{TokenBatch, TokenCache, Tokens};
use crate::use_run::generate_clips;

/// Classes that an evaluation draws samples of.
const SAMPLED_CLASSES: usize = 16;

/// Training of the generator.
pub(super) struct GeneratorTask {
    device: Device,
    train: Train,
    /// Behind a lock, since passes of a step share the task between threads.
    tokenizer: Mutex<Tokenizer>,
    training: Arc<Tokens>,
    held_out: Tokens,
    /// To predict from their first frames, where that is the task.
    frames: Option<HeldOutFrames>,
    classes: Vec<String>,
    sampling: SamplingSettings,
}

impl GeneratorTask {
    /// Tokenizes the data, or finds its tokens in the run folder; `None` when interrupted meanwhile.
    pub fn new(
        pipeline: &Pipeline,
        condition: ConditionKind,
        tokenizer: Tokenizer,
        checkpoint: &Checkpoint,
        session: &mut Session<'_>,
    ) -> Result<Option<Self>, RuntimeError> {
        let frames = match condition {
            ConditionKind::Class => None,
            ConditionKind::Frames(frames) => Some(frames),
        };
        let given = frames.map(|condition| condition.frames);
        let plan = pipeline.plan()?;
        let train = pipeline.train.clone();
        let device = session.device.clone();
        let (dataset, workers, batch_size) = (session.dataset.clone(), train.workers, train.tokenizer.batch_size);
        let count = match train.generator.cached_clips {
            0 => dataset.len(Split::Train),
            count => count,
        };
        let settings = LoaderSettings { workers, ..LoaderSettings::new(Split::Train, 1, train.seed) };
        let loader = Loader::new(dataset.clone(), settings)?;
        let samples = loader.map(|batch| batch.map(|batch| batch.samples)).take(count);
        let samples = samples.flat_map(|samples| match samples {
            Ok(samples) => samples.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(RuntimeError::from(error))],
        });
        let making = Making { tokenizer: &tokenizer, length: plan.encoder.tokens, given, batch_size, device: &device };
        let cache = TokenCache::new(&session.run.path, &checkpoint.weights())?;
        let of_given = given.map(|given| format!(" given {given}")).unwrap_or_default();
        let path = cache.path(&format!("{} train {count} {}{of_given}", dataset.fingerprint(), train.seed));
        let Some(training) = making.get(&path, samples, count, session)? else { return Ok(None) };
        let path = cache.path(&format!("{} validation {}{of_given}", dataset.fingerprint(), train.evaluation_clips));
        let held_out = fixed(dataset.clone(), Split::Validation, train.evaluation_clips, workers)?;
        let held_out = held_out.map(|sample| sample.map_err(RuntimeError::from));
        let Some(held_out) = making.get(&path, held_out, train.evaluation_clips, session)? else { return Ok(None) };
        let frames = frames.map(|condition| HeldOutFrames::new(condition, &dataset, &train)).transpose()?;
        Ok(Some(Self { frames, ..Self::with_tokens(pipeline, tokenizer, training, held_out, dataset.classes(), &device) }))
    }

    /// Training on tokens that are there already; without clips to predict from their first frames.
    pub fn with_tokens(
        pipeline: &Pipeline,
        tokenizer: Tokenizer,
        training: Tokens,
        held_out: Tokens,
        classes: &[String],
        device: &Device,
    ) -> Self {
        Self {
            device: device.clone(),
            train: pipeline.train.clone(),
            tokenizer: Mutex::new(tokenizer),
            training: Arc::new(training),
            held_out,
            frames: None,
            classes: classes.to_vec(),
            sampling: pipeline.sampling,
        }
    }

    fn condition(&self, batch: &TokenBatch) -> Condition {
        match &batch.conditions {
            Some(tokens) => Condition::Frames(tokens.clone()),
            None => Condition::Classes(batch.labels.clone()),
        }
    }
}

/// How tokens are made that are not there yet.
struct Making<'a> {
    tokenizer: &'a Tokenizer,
    length: usize,
    given: Option<usize>,
    batch_size: usize,
    device: &'a Device,
}

impl Making<'_> {
    fn get(
        &self,
        path: &Path,
        samples: impl Iterator<Item = Result<Sample, RuntimeError>>,
        total: usize,
        session: &mut Session<'_>,
    ) -> Result<Option<Tokens>, RuntimeError> {
        if path.exists() {
            return Tokens::load(path).map(Some);
        }
        let mut tokens = Tokens::new(self.length);
        for batch in batches(samples, self.batch_size) {
            tokens.add(self.tokenizer, &batch?, self.given, self.device);
            session.observer.event(&Event::Tokenizing { done: tokens.len(), total });
            if session.interrupted.load(Ordering::Relaxed) {
                return Ok(None);
            }
        }
        tokens.save(path, HashMap::new())?;
        Ok(Some(tokens))
    }
}

impl Task for GeneratorTask {
    type Model = DynGenerator;
    type Batch = TokenBatch;

    const STAGE: Stage = Stage::Generator;

    fn schedule(&self) -> Schedule<'_> {
        let generator = &self.train.generator;
        Schedule {
            steps: generator.steps,
            batch_size: generator.batch_size,
            accumulation: generator.accumulation,
            optimizer: &generator.optimizer,
            ema_decay: generator.ema_decay,
        }
    }

    fn batches(&self, first: u64) -> Result<Batches<TokenBatch>, RuntimeError> {
        let (tokens, seed, size) = (self.training.clone(), self.train.seed, self.train.generator.batch_size as u64);
        let (device, no_class, count) = (self.device.clone(), self.classes.len(), tokens.len() as u64);
        let mut order = (0, permutation(seed, 0, tokens.len()));
        Ok(Box::new((first..).map(move |batch| {
            let clips: Vec<usize> = (batch * size..(batch + 1) * size)
                .map(|slot| {
                    let epoch = slot / count;
                    if order.0 != epoch {
                        order = (epoch, permutation(seed, epoch, tokens.len()));
                    }
                    order.1[(slot % count) as usize]
                })
                .collect();
            Ok(tokens.batch(&clips, no_class, &device))
        })))
    }

    fn loss(&self, model: &DynGenerator, batch: TokenBatch, _: Progress, draw: Draw) -> Loss {
        let condition = self.condition(&batch);
        let loss = model.nll(batch.tokens, &condition, draw);
        Loss { total: loss.nll.clone(), parts: vec![("nll", loss.nll), ("accuracy", loss.accuracy)] }
    }

    fn evaluate(&self, model: &DynGenerator, samples: &Path) -> Result<BTreeMap<String, f64>, RuntimeError> {
        let (mut nll, mut accuracy) = (0.0, 0.0);
        let clips: Vec<usize> = (0..self.held_out.len()).collect();
        for part in clips.chunks(self.train.generator.batch_size) {
            let batch = self.held_out.batch(part, self.classes.len(), &self.device);
            let condition = self.condition(&batch);
            let loss = model.nll(batch.tokens, &condition, Draw::Deterministic);
            nll += f64::from(scalar(loss.nll)) * part.len() as f64;
            accuracy += f64::from(scalar(loss.accuracy)) * part.len() as f64;
        }
        let count = clips.len().max(1) as f64;
        let (nll, accuracy) = (nll / count, accuracy / count);
        let values = [("nll", nll), ("bits_per_token", nll / std::f64::consts::LN_2), ("accuracy", accuracy)];
        let mut values = BTreeMap::from(values.map(|(name, value)| (name.to_owned(), value)));
        match &self.frames {
            None => self.write_samples(model, samples)?,
            Some(frames) => {
                let tokenizer = self.tokenizer.lock().unwrap_or_else(PoisonError::into_inner);
                values.extend(frames.evaluate(&tokenizer, model, &self.sampling, &self.device, samples)?);
            }
        }
        Ok(values)
    }
}

impl GeneratorTask {
    fn write_samples(&self, model: &DynGenerator, folder: &Path) -> Result<(), RuntimeError> {
        let each = self.train.sample_clips;
        let mut wanted: Vec<Option<usize>> = (0..self.classes.len().min(SAMPLED_CLASSES)).map(Some).collect();
        if wanted.is_empty() {
            wanted.push(None);
        }
        let labels: Vec<Option<usize>> = wanted.iter().flat_map(|&class| std::iter::repeat_n(class, each)).collect();
        let stream = Stream::new(self.train.seed).fork("samples");
        let tokenizer = self.tokenizer.lock().unwrap_or_else(PoisonError::into_inner);
        let generated = generate_clips(&tokenizer, model, &labels, &self.sampling.into(), stream, &self.device);
        let with_mp4 = ffmpeg_available();
        for (index, (clip, label)) in generated.iter().zip(&labels).enumerate() {
            let name = label.map_or("any", |label| self.classes[label].as_str());
            let path = folder.join(generated_name(name, index % each.max(1)));
            write_clip(&path, clip, picture_scale(clip.shape.width), with_mp4)?;
        }
        Ok(())
    }
}
