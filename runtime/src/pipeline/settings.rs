//! The settings of a pipeline, all resolved.

use larp_traits::{
    CriticSettings, DecoderSettings, EncoderSettings, GeneratorSettings, PerceptualSettings, PriorSettings, QuantizerSettings,
    VideoShape,
};
use serde::{Deserialize, Serialize};

use super::preset::Preset;
use super::sampling::SamplingSettings;
use super::training::Train;
use crate::clip::ClipShape;
use crate::data::DataSettings;

/// Everything a run depends on.
#[derive(Debug, Clone, Serialize)]
pub struct Pipeline {
    /// Its name, in reports.
    pub name: String,
    /// Whose choices it takes where paper and released code differ and it says nothing itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// The clips.
    pub clip: ClipSettings,
    /// Clips to latents.
    pub encoder: Box<dyn EncoderSettings>,
    /// Between encoder and quantizer, and quantizer and decoder.
    pub bottleneck: Bottleneck,
    /// Latents to tokens.
    pub quantizer: Box<dyn QuantizerSettings>,
    /// Embeddings to clips.
    pub decoder: Box<dyn DecoderSettings>,
    /// The prior, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<Box<dyn PriorSettings>>,
    /// The generator, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator: Option<Box<dyn GeneratorSettings>>,
    /// The critic, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critic: Option<Box<dyn CriticSettings>>,
    /// The perceptual distance, if any: a loss by its weight in `losses`, and a number of each evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perceptual: Option<Box<dyn PerceptualSettings>>,
    /// Weights of the losses.
    pub losses: Losses,
    /// Training.
    pub train: Train,
    /// How tokens are drawn when clips are generated.
    pub sampling: SamplingSettings,
    /// The data.
    pub data: DataSettings,
}

/// Shape of the clips; three colour channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipSettings {
    /// Frames.
    pub frames: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl ClipSettings {
    /// As the data gives it.
    pub fn shape(&self) -> ClipShape {
        ClipShape { frames: self.frames, height: self.height, width: self.width }
    }

    /// As the model takes it.
    pub fn video(&self) -> VideoShape {
        VideoShape { channels: 3, frames: self.frames, height: self.height, width: self.width }
    }
}

/// The projections around the quantizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bottleneck {
    /// Width of latents and codes: 8 in the paper, 16 in the released code (SPEC.md, departure 2).
    pub code_dim: usize,
    /// Normalisation of the latents; none in the paper.
    #[serde(default)]
    pub norm: BottleneckNorm,
    /// Factor of the first weights of the projection to the decoder; 1 in the paper. Codes of length 1 leave it ten times weaker than
    /// the position codes it is added to, so a short training looks at the positions first.
    #[serde(default = "no_gain")]
    pub out_gain: f64,
}

fn no_gain() -> f64 {
    1.0
}

/// Normalisation between projection and quantizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckNorm {
    /// None.
    #[default]
    None,
    /// A learned shift and scale a token, started from the first clips: a short training then finds its codes at once.
    ActNorm,
}

/// Weights of the tokenizer's losses (paper, appendix A.1); 0 turns one off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Losses {
    /// Mean absolute difference of the pixels.
    pub l1: f64,
    /// Mean squared difference of the pixels; 0 in the paper. Without a perceptual loss it finds small moving things sooner: the
    /// best guess of the absolute difference is the median, which leaves them out.
    pub mse: f64,
    /// The quantizer's own losses together.
    pub quantizer: f64,
    /// The prior's negative log-likelihood: the paper's alpha (equation 8).
    pub prior: f64,
    /// What the critic says of the reconstructions; see `train.critic`.
    pub critic: f64,
    /// The perceptual distance, where the pipeline has one; with 0 it is measured, but not trained with.
    pub perceptual: f64,
    /// Frames of each clip that the perceptual loss looks at, drawn anew at each step; 0 is all of them, as in the paper.
    pub perceptual_frames: usize,
}

impl Default for Losses {
    fn default() -> Self {
        Self { l1: 1.0, mse: 0.0, quantizer: 0.1, prior: 0.06, critic: 0.3, perceptual: 1.0, perceptual_frames: 0 }
    }
}
