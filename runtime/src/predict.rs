//! Clips that go on from their first frames (paper, appendix A.2).
//!
//! ```text
//! given frames, the last repeated -> tokenizer -> condition -> generator -> tokens -> decoder -> the whole clip
//! ```

use larp_traits::{Condition, ConditionTokens, Draw, DynGenerator, Int, Sampling, Stream, Tensor};
use serde::{Deserialize, Serialize};

use crate::model::Tokenizer;

/// Which frames a predicted clip begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GivenFrames {
    /// Those that the generator gives, as in the released code: they are as blurred as what follows.
    #[default]
    Generated,
    /// Those that were given.
    Kept,
}

/// The models, without gradients, and how they predict.
#[derive(Debug, Clone, Copy)]
pub struct Predictor<'a> {
    /// Clips to tokens and back.
    pub tokenizer: &'a Tokenizer,
    /// Tokens of a clip from those of its first frames.
    pub generator: &'a DynGenerator,
    /// Number of frames that are given.
    pub given: usize,
    /// How their tokens are chosen.
    pub tokens: ConditionTokens,
    /// How the clip's tokens are drawn.
    pub sampling: Sampling,
    /// Which frames the clip begins with.
    pub given_frames: GivenFrames,
}

impl Predictor<'_> {
    /// Clips that begin as `video` does; its frames after the given ones are not looked at.
    ///
    /// # Shapes
    /// - video and output: `[batch, channels, frames, height, width]`, in [0, 1]
    pub fn predict(&self, video: Tensor<5>, stream: Stream) -> Tensor<5> {
        let draw = match self.tokens {
            ConditionTokens::Argmax => Draw::Deterministic,
            ConditionTokens::Drawn => Draw::Stream(stream.fork("condition")),
        };
        let condition = Condition::Frames(condition_tokens(self.tokenizer, video.clone(), self.given, draw));
        let tokens = self.generator.generate(&condition, &self.sampling, Draw::Stream(stream));
        let predicted = self.tokenizer.decode_tokens(tokens).clamp(0.0, 1.0);
        match self.given_frames {
            GivenFrames::Generated => predicted,
            GivenFrames::Kept => {
                let frames = video.dims()[2];
                Tensor::cat(vec![video.slice_dim(2, 0..self.given), predicted.slice_dim(2, self.given..frames)], 2)
            }
        }
    }
}

/// Tokens of the first `given` frames: of a clip that shows them and then repeats the last of them.
///
/// # Shapes
/// - video: `[batch, channels, frames, height, width]`, in [0, 1]
/// - output: `[batch, tokens]`
pub fn condition_tokens(tokenizer: &Tokenizer, video: Tensor<5>, given: usize, draw: Draw) -> Tensor<2, Int> {
    tokenizer.quantize(repeat_last_given(video, given), draw).tokens
}

/// The first `given` frames with the last of them repeated to the clip's length; also the baseline of prediction.
///
/// # Shapes
/// - video and output: `[batch, channels, frames, height, width]`
///
/// # Panics
/// When `given` is 0 or more than there are frames.
pub fn repeat_last_given(video: Tensor<5>, given: usize) -> Tensor<5> {
    let frames = video.dims()[2];
    assert!((1..=frames).contains(&given), "{given} of {frames} frames cannot be given");
    let last = video.clone().slice_dim(2, given - 1..given).repeat_dim(2, frames - given + 1);
    if given == 1 { last } else { Tensor::cat(vec![video.slice_dim(2, 0..given - 1), last], 2) }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, to_host};

    use super::*;

    #[test]
    fn the_last_given_frame_is_repeated_to_the_end() {
        let video = Tensor::<1, Int>::arange(0..8, &cpu()).float().reshape([1, 2, 4, 1, 1]);
        let repeated = |given| to_host(repeat_last_given(video.clone(), given));
        // released code: utils/common.py, repeat_to_m_frames(arange(8).reshape(1, 2, 4, 1, 1)[:, :, :given], m=4)
        assert_eq!(repeated(1), [0.0, 0.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0]);
        assert_eq!(repeated(2), [0.0, 1.0, 1.0, 1.0, 4.0, 5.0, 5.0, 5.0]);
        assert_eq!(repeated(4), to_host(video.clone()));
    }
}
