//! Held-out clips, predicted from their first frames.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use larp_traits::{Device, Draw, DynGenerator, FrameCondition, Stream, Tensor};

use crate::RuntimeError;
use crate::convert::{to_clips, to_tensor};
use crate::data::{Dataset, Sample, Split, fixed};
use crate::evaluate::prediction_score;
use crate::media::{Gap, ffmpeg_available, picture_scale, prediction_sheet, side_by_side, write_clip, write_png};
use crate::model::Tokenizer;
use crate::pipeline::{SamplingSettings, Train};
use crate::predict::Predictor;
use crate::report::{clip_name, prediction_sheet_name};

/// The clips, and what is given of them.
pub(super) struct HeldOutFrames {
    condition: FrameCondition,
    clips: Vec<Sample>,
    seed: u64,
    batch_size: usize,
    pictures: usize,
}

impl HeldOutFrames {
    /// Reads them.
    pub fn new(condition: FrameCondition, dataset: &Arc<dyn Dataset>, train: &Train) -> Result<Self, RuntimeError> {
        let clips = fixed(dataset.clone(), Split::Validation, train.generator.predicted_clips, train.workers)?;
        let clips = clips.collect::<Result<Vec<Sample>, _>>()?;
        let (seed, batch_size) = (train.seed, train.generator.batch_size);
        Ok(Self { condition, clips, seed, batch_size, pictures: train.sample_clips })
    }

    /// Mean scores by the names of [`METRICS`](crate::report::METRICS), and pictures of the first clips in `folder`. Clips without a
    /// frame of their own after the given ones have no score. Both models must be without gradients.
    pub fn evaluate(
        &self,
        tokenizer: &Tokenizer,
        generator: &DynGenerator,
        sampling: &SamplingSettings,
        device: &Device,
        folder: &Path,
    ) -> Result<BTreeMap<String, f64>, RuntimeError> {
        let FrameCondition { frames: given, tokens } = self.condition;
        let (sampling, given_frames) = ((*sampling).into(), sampling.given_frames);
        let predictor = Predictor { tokenizer, generator, given, tokens, sampling, given_frames };
        let stream = Stream::new(self.seed).fork("predictions");
        let mut means = Means::default();
        for (number, batch) in self.clips.chunks(self.batch_size).enumerate() {
            let video = to_tensor(batch.iter().map(|sample| &sample.clip), device);
            let predicted = predictor.predict(video.clone(), stream.at(number as u64));
            let reconstructed = tokenizer.forward(video.clone(), Draw::Deterministic).reconstruction;
            for (index, sample) in batch.iter().enumerate().filter(|(_, sample)| sample.real_frames > given) {
                let one = |clips: &Tensor<5>| clips.clone().slice_dim(0, index..index + 1);
                let score = |clips| prediction_score(one(&video), one(clips), given, sample.real_frames);
                let predicted = score(&predicted);
                means.add("prediction_psnr", predicted.prediction_psnr);
                means.add("last_frame_psnr", predicted.last_frame_psnr);
                means.add("reconstructed_frames_psnr", score(&reconstructed).prediction_psnr);
                if let Some(onward) = predicted.onward {
                    means.add("onward", f64::from(u8::from(onward)));
                }
            }
            let first = number * self.batch_size;
            let clips = to_clips(predicted).into_iter().zip(batch).enumerate();
            for (index, (predicted, sample)) in clips.take(self.pictures.saturating_sub(first)) {
                let scale = picture_scale(sample.clip.shape.width);
                let both = side_by_side(&[sample.clip.clone(), predicted.clone()], Gap::default())?;
                write_clip(&folder.join(clip_name(first + index)), &both, scale, ffmpeg_available())?;
                let sheet = prediction_sheet(&sample.clip, &[predicted], given, sample.real_frames)?;
                write_png(&folder.join(prediction_sheet_name(first + index)), &sheet, scale.div_ceil(2))?;
            }
        }
        Ok(means.values())
    }
}

/// Means by name.
#[derive(Default)]
struct Means(BTreeMap<&'static str, (f64, usize)>);

impl Means {
    fn add(&mut self, name: &'static str, value: f64) {
        let (sum, count) = self.0.entry(name).or_default();
        (*sum, *count) = (*sum + value, *count + 1);
    }

    fn values(self) -> BTreeMap<String, f64> {
        self.0.into_iter().map(|(name, (sum, count))| (name.to_owned(), sum / count as f64)).collect()
    }
}
