//! The `[sampling]` part of a pipeline file.

use larp_traits::error::positive;
use larp_traits::{Sampling, SettingsError};
use serde::{Deserialize, Serialize};

use crate::predict::GivenFrames;

/// How tokens are drawn (paper, appendix A.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingSettings {
    /// Classifier-free guidance; 1 is none. Frame prediction has none.
    pub cfg_scale: f64,
    /// Divides the logits.
    pub temperature: f64,
    /// Only the `k` most likely tokens; 0 is all.
    pub top_k: usize,
    /// Only the most likely tokens up to this probability; 1 is all.
    pub top_p: f64,
    /// Which frames a predicted clip begins with; for frame prediction.
    pub given_frames: GivenFrames,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        let Sampling { cfg_scale, temperature, top_k, top_p } = Sampling::default();
        Self { cfg_scale, temperature, top_k, top_p, given_frames: GivenFrames::default() }
    }
}

impl From<SamplingSettings> for Sampling {
    fn from(s: SamplingSettings) -> Self {
        Self { cfg_scale: s.cfg_scale, temperature: s.temperature, top_k: s.top_k, top_p: s.top_p }
    }
}

impl SamplingSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// When a value cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        positive("sampling.temperature", self.temperature)?;
        positive("sampling.top_p", self.top_p)?;
        if self.top_p > 1.0 {
            return Err(SettingsError::value("sampling.top_p", self.top_p, "it is a probability, at most 1"));
        }
        if !self.cfg_scale.is_finite() || self.cfg_scale < 0.0 {
            return Err(SettingsError::value("sampling.cfg_scale", self.cfg_scale, "it must be 0 or more; 1 is no guidance"));
        }
        Ok(())
    }
}
