//! Clips that go on from the first frames of files.

use std::path::{Path, PathBuf};
use std::slice::from_ref;

use larp_traits::{ConditionKind, FrameCondition, Stream};

use super::{CLIPS_AT_ONCE, ClipOrigin, InputClip, TrainedRun};
use crate::RuntimeError;
use crate::clip::Clip;
use crate::convert::{to_clips, to_tensor};
use crate::data::{DataError, Problem};
use crate::evaluate::{PredictionScore, batches, prediction_score};
use crate::media::{picture_scale, prediction_sheet, write_clip, write_png};
use crate::pipeline::{PipelineError, SamplingSettings};
use crate::predict::Predictor;

/// How to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictRequest {
    /// Number of given frames; `None` is what the generator was trained with.
    pub frames: Option<usize>,
    /// How tokens are drawn, and which frames the clips begin with.
    pub sampling: SamplingSettings,
    /// The same seed gives the same clips for the same inputs.
    pub seed: u64,
}

/// A clip of a file and how it might have gone on.
#[derive(Debug, Clone)]
pub struct PredictedClip {
    /// Where the clip is from.
    pub origin: ClipOrigin,
    /// Number of frames that were given.
    pub given: usize,
    /// The real clip.
    pub original: Clip,
    /// The predicted one.
    pub predicted: Clip,
    /// Of the predicted frames; `None` where the file has no frame after the given ones.
    pub score: Option<PredictionScore>,
}

impl TrainedRun {
    /// What its generator is told of the first frames of a clip.
    ///
    /// # Errors
    /// When it has no generator, or one that is told of classes.
    pub fn frame_condition(&self) -> Result<FrameCondition, RuntimeError> {
        match self.condition()? {
            ConditionKind::Frames(condition) => Ok(condition),
            ConditionKind::Class => Err(RuntimeError::Request(format!(
                "the generator of `{}` was not trained to predict frames: it makes clips of classes; use `generate`",
                self.pipeline.name
            ))),
        }
    }

    /// Predicts clips from their first frames and hands on each; gives the clips that have fewer frames than that, which are left
    /// out.
    ///
    /// # Errors
    /// When the request cannot work, the generator does not predict frames or is not trained, the data fails for good, or `take`
    /// does.
    pub fn predict(
        &self,
        clips: impl Iterator<Item = Result<InputClip, DataError>>,
        request: &PredictRequest,
        mut take: impl FnMut(PredictedClip) -> Result<(), RuntimeError>,
    ) -> Result<Vec<Problem>, RuntimeError> {
        let name = self.pipeline.name.clone();
        request.sampling.check().map_err(|source| PipelineError::Settings { name, source })?;
        let FrameCondition { frames: trained, tokens } = self.frame_condition()?;
        let (given, length) = (request.frames.unwrap_or(trained), self.pipeline.clip.frames);
        if !(1..length).contains(&given) {
            let message = format!("{given} frames cannot be given: clips have {length}, so give from 1 to {}", length - 1);
            return Err(RuntimeError::Request(message));
        }
        if given != trained {
            tracing::warn!("the generator was trained with {trained} given frames, not {given}");
        }
        let generator = self.generator()?;
        let (sampling, given_frames) = (request.sampling.into(), request.sampling.given_frames);
        let predictor = Predictor { tokenizer: &self.tokenizer, generator: &generator, given, tokens, sampling, given_frames };
        let stream = Stream::new(request.seed).fork("predict");
        let mut too_short = Vec::new();
        let long_enough = clips.filter(|clip| match clip {
            Ok(clip) if clip.sample.real_frames < given => {
                too_short.push(short(clip, given));
                false
            }
            _ => true,
        });
        for (number, batch) in batches(long_enough, CLIPS_AT_ONCE).enumerate() {
            let batch = batch?;
            let video = to_tensor(batch.iter().map(|clip| &clip.sample.clip), self.device());
            let predicted = predictor.predict(video.clone(), stream.at(number as u64));
            let predictions = to_clips(predicted.clone());
            for (index, (clip, shown)) in batch.into_iter().zip(predictions).enumerate() {
                let origin = ClipOrigin::of(&clip);
                let [video, predicted] = [&video, &predicted].map(|clips| clips.clone().slice_dim(0, index..index + 1));
                let score = (origin.real_frames > given).then(|| prediction_score(video, predicted, given, origin.real_frames));
                take(PredictedClip { origin, given, original: clip.sample.clip, predicted: shown, score })?;
            }
        }
        Ok(too_short)
    }
}

fn short(clip: &InputClip, given: usize) -> Problem {
    let sample = &clip.sample;
    let reason =
        format!("{} frames from frame {} on, fewer than the {given} to be given", sample.real_frames, sample.start_frame);
    Problem { path: clip.source.clone(), reason }
}

impl PredictedClip {
    /// Writes the predicted clip as `NUMBER-NAME.gif` and, on request, as mp4, and `NUMBER-NAME.png`: the frames of the real clip
    /// above the predicted ones, with the border between given and predicted frames marked. Gives the files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, number: usize, with_mp4: bool) -> Result<Vec<PathBuf>, RuntimeError> {
        let stem = Path::new(&self.origin.name).file_stem().unwrap_or_default().to_string_lossy();
        let scale = picture_scale(self.original.shape.width);
        let gif = folder.join(format!("{number:03}-{stem}.gif"));
        let mut files = write_clip(&gif, &self.predicted, scale, with_mp4)?;
        let sheet = prediction_sheet(&self.original, from_ref(&self.predicted), self.given, self.origin.real_frames)?;
        let png = gif.with_extension("png");
        write_png(&png, &sheet, scale.div_ceil(2))?;
        files.push(png);
        Ok(files)
    }
}
