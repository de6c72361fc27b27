//! How well frames are predicted.

use std::ops::Range;

use larp_traits::Tensor;
use serde::Serialize;

use super::clip_errors;
use crate::predict::repeat_last_given;

/// One clip's predicted frames against the real ones; the given frames do not count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PredictionScore {
    /// PSNR of the predicted frames in dB.
    pub prediction_psnr: f64,
    /// PSNR of the baseline, the last given frame in place of each, in dB.
    pub last_frame_psnr: f64,
    /// Whether the predicted frames are nearer to the real ones than to the given ones played backwards from the last; `None` where
    /// one frame alone is given.
    pub onward: Option<bool>,
}

/// The score of one clip, of which frames up to `real` are its own.
///
/// # Shapes
/// - video and predicted: `[1, channels, frames, height, width]`, in [0, 1]
///
/// # Panics
/// When there is no real frame after the given ones.
pub fn prediction_score(video: Tensor<5>, predicted: Tensor<5>, given: usize, real: usize) -> PredictionScore {
    assert!(given < real, "no frame after the {given} given ones is known");
    let part = |clip: &Tensor<5>, frames: Range<usize>| clip.clone().slice_dim(2, frames);
    let psnr = |clip: &Tensor<5>| clip_errors(part(&video, given..real), part(clip, given..real))[0].psnr();
    // frame given - 1 + k against frame given - 1 - k
    let mirrored = (given - 1).min(real - given);
    let onward = (mirrored > 0).then(|| {
        let backwards = part(&video, given - 1 - mirrored..given - 1).flip([2]);
        let (ahead, end) = (part(&predicted, given..given + mirrored), given + mirrored);
        let forwards = clip_errors(part(&video, given..end), ahead.clone())[0].mse;
        forwards < clip_errors(backwards, ahead)[0].mse
    });
    PredictionScore { prediction_psnr: psnr(&predicted), last_frame_psnr: psnr(&repeat_last_given(video.clone(), given)), onward }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{TensorData, cpu};

    use super::*;

    /// A bright column that stands at these places of 8, a frame each.
    fn moving(places: [usize; 6]) -> Tensor<5> {
        let values: Vec<f32> = places.iter().flat_map(|&place| (0..8).map(move |x| f32::from(u8::from(x == place)))).collect();
        Tensor::from_data(TensorData::new(values, [1, 1, 6, 1, 8]), &cpu())
    }

    #[test]
    fn a_motion_that_goes_on_is_told_from_one_that_turns_back() {
        let video = moving([0, 1, 2, 3, 4, 5]);
        let exact = prediction_score(video.clone(), video.clone(), 3, 6);
        assert_eq!((exact.prediction_psnr, exact.onward), (100.0, Some(true)));
        // 2 of 8 pixels are wrong: an error of 1/4
        assert!((exact.last_frame_psnr - 6.0206).abs() < 1e-3, "{exact:?}");
        let back = prediction_score(video.clone(), moving([0, 1, 2, 1, 0, 0]), 3, 6);
        assert_eq!(back.onward, Some(false));
        let still = prediction_score(video.clone(), repeat_last_given(video.clone(), 3), 3, 6);
        assert_eq!(still.prediction_psnr, still.last_frame_psnr);
        assert_eq!(prediction_score(video.clone(), video, 1, 6).onward, None);
    }

    #[test]
    fn frames_past_the_end_of_the_source_do_not_count() {
        let (video, predicted) = (moving([0, 1, 2, 3, 3, 3]), moving([0, 1, 2, 3, 4, 5]));
        assert_eq!(prediction_score(video.clone(), predicted.clone(), 3, 4).prediction_psnr, 100.0);
        assert!(prediction_score(video, predicted, 3, 6).prediction_psnr < 10.0);
    }
}
