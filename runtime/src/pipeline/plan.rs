//! Sizes along the way, found before anything is built.

use larp_traits::error::positive;
use larp_traits::{BuildContext, Device, LatentShape, QuantizerShape, SettingsError, VideoShape};
use serde::Serialize;

use super::{Pipeline, PipelineError};

/// The sizes of a pipeline whose parts fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The clips.
    pub video: VideoShape,
    /// What the encoder gives.
    pub encoder: LatentShape,
    /// Codes.
    pub quantizer: QuantizerShape,
    /// What the decoder takes.
    pub decoder: LatentShape,
}

impl Plan {
    /// Bits that tell one clip's tokens from any other's.
    pub fn bits_per_clip(&self) -> f64 {
        self.encoder.tokens as f64 * (self.quantizer.vocab_size as f64).log2()
    }

    /// What a part is told when it is built.
    pub(crate) fn context(&self, latents: LatentShape, classes: usize, device: &Device) -> BuildContext {
        BuildContext { device: device.clone(), video: self.video, latents, quantizer: self.quantizer, classes }
    }
}

impl Pipeline {
    /// Checks that the parts fit each other and the clips.
    ///
    /// # Errors
    /// When they do not: the two sides are named.
    pub fn plan(&self) -> Result<Plan, PipelineError> {
        self.sizes().map_err(|source| self.settings_error(source))
    }

    pub(crate) fn settings_error(&self, source: SettingsError) -> PipelineError {
        PipelineError::Settings { name: self.name.clone(), source }
    }

    fn sizes(&self) -> Result<Plan, SettingsError> {
        self.train.check()?;
        self.sampling.check()?;
        let video = self.clip.video();
        for (key, size) in [("frames", video.frames), ("height", video.height), ("width", video.width)] {
            if size == 0 {
                return Err(SettingsError::value(format!("clip.{key}"), 0, "at least 1"));
            }
        }
        positive("bottleneck.out_gain", self.bottleneck.out_gain)?;
        let encoder = self.encoder.latents(&video)?;
        let quantizer = self.quantizer.shape(self.bottleneck.code_dim)?;
        let decoder = self.decoder.latents(&video, encoder.tokens)?;
        if let Some(critic) = &self.critic {
            critic.check(&video)?;
        }
        if let Some(perceptual) = &self.perceptual {
            perceptual.check(&video)?;
        }
        Ok(Plan { video, encoder, quantizer, decoder })
    }
}
