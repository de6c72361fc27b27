//! Files through the tokenizer and back, to look at.

use std::path::{Path, PathBuf};

use larp_traits::Draw;

use super::{CLIPS_AT_ONCE, ClipOrigin, InputClip, TrainedRun};
use crate::RuntimeError;
use crate::convert::{to_clips, to_tensor};
use crate::data::DataError;
use crate::evaluate::{ClipErrors, Reconstruction, batches, clip_errors, mean_frame};
use crate::media::{Gap, picture_scale, side_by_side, write_clip};

/// A clip of a file, what its tokens give back, and how far that is off.
#[derive(Debug, Clone)]
pub struct ReconstructedClip {
    /// Where the clip is from.
    pub origin: ClipOrigin,
    /// Both clips.
    pub pair: Reconstruction,
    /// Of the reconstruction.
    pub errors: ClipErrors,
    /// Of the clip's mean frame, the baseline that knows no motion.
    pub mean_frame: ClipErrors,
}

impl TrainedRun {
    /// Reconstructs clips and hands on each; gives their number.
    ///
    /// # Errors
    /// When the data fails for good, or `take` does.
    pub fn reconstruct(
        &self,
        clips: impl Iterator<Item = Result<InputClip, DataError>>,
        mut take: impl FnMut(ReconstructedClip) -> Result<(), RuntimeError>,
    ) -> Result<usize, RuntimeError> {
        let mut count = 0;
        for batch in batches(clips, CLIPS_AT_ONCE) {
            let batch = batch?;
            let video = to_tensor(batch.iter().map(|clip| &clip.sample.clip), self.device());
            let output = self.tokenizer.forward(video.clone(), Draw::Deterministic).reconstruction;
            let errors = clip_errors(video.clone(), output.clone());
            let still = clip_errors(video.clone(), mean_frame(video));
            for (((clip, reconstructed), errors), mean_frame) in batch.into_iter().zip(to_clips(output)).zip(errors).zip(still) {
                let origin = ClipOrigin::of(&clip);
                let pair = Reconstruction { original: clip.sample.clip, reconstructed };
                take(ReconstructedClip { origin, pair, errors, mean_frame })?;
                count += 1;
            }
        }
        Ok(count)
    }
}

impl ReconstructedClip {
    /// Writes both clips side by side, as `NUMBER-NAME.gif` and, on request, as mp4; gives the files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, number: usize, with_mp4: bool) -> Result<Vec<PathBuf>, RuntimeError> {
        let stem = Path::new(&self.origin.name).file_stem().unwrap_or_default().to_string_lossy();
        let clips = [self.pair.original.clone(), self.pair.reconstructed.clone()];
        let both = side_by_side(&clips, Gap::default())?;
        let scale = picture_scale(self.pair.original.shape.width);
        Ok(write_clip(&folder.join(format!("{number:03}-{stem}.gif")), &both, scale, with_mp4)?)
    }
}
