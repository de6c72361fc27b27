//! The first stage: the tokenizer with its prior (paper, equation 8).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::Module as _;
use larp_traits::{Device, Draw, DynPerceptual, Progress, Tensor};

use super::critic::{Adversary, Opposition, Pair, opposed};
use super::dead_codes::{DeadCodeWatch, Uses};
use super::frames::drawn_frames;
use super::stage::{Batches, Beside, Loss, Schedule, Task};
use crate::RuntimeError;
use crate::clip::Clip;
use crate::convert::to_tensor;
use crate::data::{Batch, Dataset, Loader, LoaderSettings, Split, fixed};
use crate::evaluate::{Measure, Reconstruction, reconstruct};
use crate::media::{Gap, contact_sheet, ffmpeg_available, picture_scale, side_by_side, write_clip, write_png};
use crate::model::Tokenizer;
use crate::pipeline::{Losses, Pipeline, Train};
use crate::report::{Stage, clip_name};

/// Clips that a normalisation is started from.
const NORM_CLIPS: usize = 64;

/// Training of the tokenizer.
pub(super) struct TokenizerTask {
    dataset: Arc<dyn Dataset>,
    device: Device,
    train: Train,
    losses: Losses,
    perceptual: Option<DynPerceptual>,
    seed: u64,
    /// Behind a lock, since passes of a step share the task between threads.
    adversary: Option<Mutex<Adversary>>,
    codes: DeadCodeWatch,
}

impl TokenizerTask {
    pub fn new(
        pipeline: &Pipeline,
        dataset: Arc<dyn Dataset>,
        perceptual: Option<DynPerceptual>,
        device: &Device,
    ) -> Result<Self, RuntimeError> {
        let (train, losses) = (pipeline.train.clone(), pipeline.losses);
        let adversary = Adversary::new(pipeline, device)?.map(Mutex::new);
        let codes = DeadCodeWatch::new(train.tokenizer.dead_codes, train.seed);
        Ok(Self { dataset, device: device.clone(), seed: train.seed, train, losses, perceptual, adversary, codes })
    }

    /// Whether a critic is trained beside it.
    pub fn has_critic(&self) -> bool {
        self.adversary.is_some()
    }

    fn adversary(&self) -> Option<MutexGuard<'_, Adversary>> {
        self.adversary.as_ref().map(|adversary| adversary.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn video(&self, batch: &Batch) -> Tensor<5> {
        to_tensor(batch.samples.iter().map(|sample| &sample.clip), &self.device)
    }

    /// How far reconstructions are from the clips.
    fn reconstruction_loss(&self, reconstruction: Tensor<5>, video: Tensor<5>, draw: Draw) -> Loss {
        let difference = reconstruction.clone() - video.clone();
        let (l1, mse) = (difference.clone().abs().mean(), difference.square().mean());
        let mut total = l1.clone().mul_scalar(self.losses.l1) + mse.clone().mul_scalar(self.losses.mse);
        let mut parts = vec![("l1", l1), ("mse", mse)];
        if let Some(perceptual) = self.perceptual.as_ref().filter(|_| self.losses.perceptual != 0.0) {
            // not clamped: a value out of range has to find its way back
            let [reconstruction, video] = drawn_frames([reconstruction, video], self.losses.perceptual_frames, draw);
            let loss = perceptual.distance(reconstruction, video).mean();
            total = total + loss.clone().mul_scalar(self.losses.perceptual);
            parts.push(("perceptual", loss));
        }
        Loss { total, parts }
    }
}

impl Task for TokenizerTask {
    type Model = Tokenizer;
    type Batch = Batch;

    const STAGE: Stage = Stage::Tokenizer;

    fn schedule(&self) -> Schedule<'_> {
        let tokenizer = &self.train.tokenizer;
        Schedule {
            steps: tokenizer.steps,
            batch_size: tokenizer.batch_size,
            accumulation: tokenizer.accumulation,
            optimizer: &tokenizer.optimizer,
            ema_decay: tokenizer.ema_decay,
        }
    }

    fn batches(&self, first: u64) -> Result<Batches<Batch>, RuntimeError> {
        let settings = LoaderSettings {
            first_step: first,
            workers: self.train.workers,
            ..LoaderSettings::new(Split::Train, self.train.tokenizer.batch_size, self.seed)
        };
        let loader = Loader::new(self.dataset.clone(), settings)?;
        Ok(Box::new(loader.map(|batch| batch.map_err(RuntimeError::from))))
    }

    fn loss(&self, model: &Tokenizer, batch: Batch, at: Progress, draw: Draw) -> Loss {
        let video = self.video(&batch);
        let tokenized = model.forward(video.clone(), draw.fork("quantizer"));
        self.codes.observe(at.step, draw, &tokenized);
        let near = |reconstruction| self.reconstruction_loss(reconstruction, video.clone(), draw.fork("perceptual"));
        let Loss { mut total, mut parts } = match self.adversary().and_then(|adversary| adversary.tokenizer_loss(at.step)) {
            None => near(tokenized.reconstruction.clone()),
            Some(loss) => {
                let (weight, weighting) = (self.losses.critic, self.train.critic.weighting);
                opposed(model, &tokenized, &near, Opposition { loss: &loss, weight, weighting })
            }
        };
        if let Some(loss) = tokenized.quantized.loss() {
            total = total + loss.clone().mul_scalar(self.losses.quantizer);
            parts.push(("quantizer_loss", loss));
        }
        if let Some(prior) = model.prior_nll(&tokenized.quantized, at, draw.fork("prior")) {
            total = total + prior.nll.clone().mul_scalar(self.losses.prior);
            parts.push(("prior_nll", prior.nll));
            parts.push(("prior_accuracy", prior.accuracy));
        }
        Loss { total, parts }
    }

    fn train_beside(&self, model: &Tokenizer, inputs: &[(Batch, Draw)], at: Progress, learning_rate: f64) -> Beside {
        let Some(mut adversary) = self.adversary().filter(|adversary| adversary.is_due(at.step)) else { return Beside::new() };
        let frozen = model.clone().no_grad();
        // the reconstructions of the step that follows: the same clips, parameters and draws
        let pairs = inputs.iter().map(|(batch, draw)| {
            let real = self.video(batch);
            let fake = frozen.forward(real.clone(), draw.fork("quantizer")).reconstruction;
            Pair { real, fake, draw: draw.fork("critic") }
        });
        adversary.update(pairs, learning_rate)
    }

    fn save_beside(&self, folder: &Path) -> Result<(), RuntimeError> {
        self.adversary().map_or(Ok(()), |adversary| adversary.save(folder))
    }

    fn load_beside(&self, folder: &Path) -> Result<(), RuntimeError> {
        self.adversary().map_or(Ok(()), |mut adversary| adversary.load(folder))
    }

    fn start(&self, model: Tokenizer) -> Result<Tokenizer, RuntimeError> {
        if model.norm.is_none() {
            return Ok(model);
        }
        let mut clips = Vec::new();
        for batch in self.batches(0)? {
            clips.extend(batch?.samples.into_iter().map(|sample| sample.clip));
            if clips.len() >= NORM_CLIPS {
                break;
            }
        }
        Ok(model.start_norm(to_tensor(&clips, &self.device)))
    }

    fn evaluate(&self, model: &Tokenizer, samples: &Path) -> Result<BTreeMap<String, f64>, RuntimeError> {
        let clips = fixed(self.dataset.clone(), Split::Validation, self.train.evaluation_clips, self.train.workers)?;
        let measure = Measure {
            tokenizer: model,
            perceptual: self.perceptual.as_ref(),
            batch_size: self.train.tokenizer.batch_size,
            keep: self.train.sample_clips,
            device: &self.device,
        };
        let (values, kept) = reconstruct(&measure, clips)?;
        write_samples(&kept, samples)?;
        Ok(values)
    }

    fn restore(&self, model: &Tokenizer, code_uses: Option<Uses>) -> Result<(), RuntimeError> {
        self.codes.start(model, code_uses)
    }

    fn code_uses(&self) -> Option<Uses> {
        self.codes.uses()
    }

    fn skipped(&self) {
        self.codes.skip();
    }

    fn finished(&self, step: usize, models: &mut [&mut Tokenizer]) {
        self.codes.finish(step, models);
    }

    fn learning_rate_multiplier(&self, path: &str) -> f64 {
        if path.starts_with("prior.") { self.train.tokenizer.prior_learning_rate_multiplier } else { 1.0 }
    }
}

/// Original and reconstruction side by side, as GIF, mp4 and one sheet of stills.
fn write_samples(kept: &[Reconstruction], folder: &Path) -> Result<(), RuntimeError> {
    let Some(first) = kept.first() else { return Ok(()) };
    let scale = picture_scale(first.original.shape.width);
    let with_mp4 = ffmpeg_available();
    for (index, pair) in kept.iter().enumerate() {
        let both = side_by_side(&[pair.original.clone(), pair.reconstructed.clone()], Gap::default())?;
        write_clip(&folder.join(clip_name(index)), &both, scale, with_mp4)?;
    }
    let rows: Vec<Clip> = kept.iter().flat_map(|pair| [pair.original.clone(), pair.reconstructed.clone()]).collect();
    write_png(&folder.join("sheet.png"), &contact_sheet(&rows, Gap::default())?, scale.div_ceil(2))?;
    Ok(())
}
