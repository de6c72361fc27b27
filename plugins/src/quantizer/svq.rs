//! `svq`: stochastic vector quantization (paper, equations 6 and 7).
//!
//! Cosine similarities of a latent with all codes, softmax at a temperature, one draw from that distribution; the most likely code
//! when the draw is deterministic.

use burn::tensor::activation::softmax;
use larp_traits::prelude::*;

use super::{check_codebook, codebook, set_rows};
use crate::layers::lookup::{CodebookWeights, UsageWeights, choose, l2_normalize, lookup, straight_through};
use crate::layers::sample::sample_rows;

/// How a code is chosen while training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeChoice {
    /// Drawn by its probability (paper, equation 6).
    #[default]
    Stochastic,
    /// The likeliest one: the paper's ablation "deterministic quantization" (table 2).
    Argmax,
}

/// Settings of [`Svq`]; the defaults are the paper's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvqSettings {
    /// Number of codes.
    pub codebook_size: usize,
    /// Divides the cosine similarities before the softmax.
    pub temperature: f64,
    /// `stochastic` draws codes while training, `argmax` takes the likeliest; in evaluation it is always the likeliest.
    pub sampling: CodeChoice,
    /// Weight of the commitment loss.
    pub commitment_weight: f64,
    /// Weight of the codebook loss.
    pub codebook_weight: f64,
    /// Weight of the entropy loss on the probabilities that codes are drawn with (equation 6): their mean entropy minus the entropy of
    /// their mean, so that choices are sure and the codebook is in use. 0 in the paper. It holds a matrix of all latents by all codes.
    pub entropy_weight: f64,
    /// Weight of the codebook usage loss: `ln(codebook_size)` minus the entropy of the mean of those probabilities. 0 in the paper.
    pub usage_weight: f64,
}

impl Default for SvqSettings {
    fn default() -> Self {
        Self {
            codebook_size: 8192,
            temperature: 0.03,
            sampling: CodeChoice::default(),
            commitment_weight: 0.25,
            codebook_weight: 1.0,
            entropy_weight: 0.0,
            usage_weight: 0.0,
        }
    }
}

register!(
    Quantizer,
    "svq",
    SvqSettings,
    "stochastic vector quantization: a code drawn by its cosine similarity",
    "LARP, section 3.2, equations 6 and 7"
);

#[typetag::serde(name = "svq")]
impl QuantizerSettings for SvqSettings {
    fn shape(&self, code_dim: usize) -> Result<QuantizerShape, SettingsError> {
        check_codebook(self.codebook_size, code_dim)?;
        if self.temperature.is_nan() || self.temperature <= 0.0 {
            return Err(SettingsError::value("quantizer.temperature", self.temperature, "it must be above 0"));
        }
        Ok(QuantizerShape { vocab_size: self.codebook_size, code_dim, codebook: true })
    }

    fn build(&self, context: &BuildContext) -> Result<DynQuantizer, SettingsError> {
        let embedding = codebook(self.shape(context.quantizer.code_dim)?, &context.device);
        Ok(Svq { embedding, settings: self.clone() }.into())
    }
}

/// The quantizer.
#[derive(Component, Debug)]
pub struct Svq {
    /// The codes before normalisation, `[vocab, code_dim]`.
    pub embedding: Param<Tensor<2>>,
    #[component(skip)]
    settings: SvqSettings,
}

impl Svq {
    fn codes(&self) -> Tensor<2> {
        l2_normalize(self.embedding.val())
    }

    /// Probability of each code (paper, equation 6).
    ///
    /// # Shapes
    /// - latents: `[rows, code_dim]`, of length 1
    /// - output: `[rows, vocab]`
    pub fn probabilities(&self, latents: Tensor<2>) -> Tensor<2> {
        softmax(self.logits(latents, untracked(self.codes())), 1)
    }

    fn logits(&self, latents: Tensor<2>, codes: Tensor<2>) -> Tensor<2> {
        latents.matmul(codes.transpose()).div_scalar(self.settings.temperature)
    }
}

impl Quantizer for Svq {
    fn quantize(&self, latents: Tensor<3>, draw: Draw) -> Quantized {
        let latents = l2_normalize(latents);
        let draw = match self.settings.sampling {
            CodeChoice::Stochastic => draw,
            CodeChoice::Argmax => Draw::Deterministic,
        };
        let tokens = choose(&latents, |rows, part| sample_rows(self.probabilities(rows), draw.at(part)));
        let codes = lookup(self.codes(), tokens.clone());
        let weights = CodebookWeights { commitment: self.settings.commitment_weight, codebook: self.settings.codebook_weight };
        let mut quantized = straight_through(latents.clone(), codes, tokens, weights);
        let weights = UsageWeights { entropy: self.settings.entropy_weight, usage: self.settings.usage_weight };
        quantized.losses.extend(weights.losses(|| self.logits(latents.flatten(0, 1), self.codes())));
        quantized
    }

    fn dequantize(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        lookup(self.codes(), tokens)
    }

    fn vocab_size(&self) -> usize {
        self.embedding.lazy_shape()[0]
    }

    fn code_dim(&self) -> usize {
        self.embedding.lazy_shape()[1]
    }

    fn codebook(&self) -> Option<Tensor<2>> {
        Some(self.codes())
    }

    fn restart(&mut self, codes: &[usize], latents: Tensor<2>) -> bool {
        let latents = l2_normalize(latents);
        set_rows(&mut self.embedding, codes, latents);
        true
    }
}
