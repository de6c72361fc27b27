//! `vq`: the nearest code (van den Oord et al., 2017): what SVQ is compared with in table 2, "deterministic quantization".

use larp_traits::error::positive;
use larp_traits::prelude::*;

use super::{check_codebook, codebook, set_rows};
use crate::layers::lookup::{CodebookWeights, UsageWeights, choose, l2_normalize, lookup, straight_through};

/// Settings of [`Vq`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VqSettings {
    /// Number of codes.
    pub codebook_size: usize,
    /// Whether latents and codes are scaled to length 1 first: then the nearest code is the one of largest cosine similarity.
    pub l2_normalize: bool,
    /// Weight of the commitment loss.
    pub commitment_weight: f64,
    /// Weight of the codebook loss.
    pub codebook_weight: f64,
    /// Weight of the entropy loss (Yu et al., 2023, MAGVIT-v2): the mean entropy of a latent's softmax over the negative squared
    /// distances to all codes, minus the entropy of their mean. It holds a matrix of all latents by all codes.
    pub entropy_weight: f64,
    /// Divides the distances before that softmax; 0.01 in the released code.
    pub entropy_temperature: f64,
    /// Weight of the codebook usage loss: `ln(codebook_size)` minus the entropy of the mean of those distributions.
    pub usage_weight: f64,
}

impl Default for VqSettings {
    fn default() -> Self {
        Self {
            codebook_size: 8192,
            l2_normalize: false,
            commitment_weight: 0.25,
            codebook_weight: 1.0,
            entropy_weight: 0.0,
            entropy_temperature: 0.01,
            usage_weight: 0.0,
        }
    }
}

register!(Quantizer, "vq", VqSettings, "vector quantization: the nearest code", "van den Oord et al., 2017, equations 1 to 3");

#[typetag::serde(name = "vq")]
impl QuantizerSettings for VqSettings {
    fn shape(&self, code_dim: usize) -> Result<QuantizerShape, SettingsError> {
        check_codebook(self.codebook_size, code_dim)?;
        positive("quantizer.entropy_temperature", self.entropy_temperature)?;
        Ok(QuantizerShape { vocab_size: self.codebook_size, code_dim, codebook: true })
    }

    fn build(&self, context: &BuildContext) -> Result<DynQuantizer, SettingsError> {
        let embedding = codebook(self.shape(context.quantizer.code_dim)?, &context.device);
        Ok(Vq { embedding, settings: self.clone() }.into())
    }
}

/// The quantizer.
#[derive(Component, Debug)]
pub struct Vq {
    /// The codes, `[vocab, code_dim]`.
    pub embedding: Param<Tensor<2>>,
    #[component(skip)]
    settings: VqSettings,
}

impl Vq {
    fn scaled<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        if self.settings.l2_normalize { l2_normalize(tensor) } else { tensor }
    }

    fn codes(&self) -> Tensor<2> {
        self.scaled(self.embedding.val())
    }

    /// Negative squared distances over the temperature, `[rows, vocab]`, with gradients to latents and codes.
    fn logits(&self, latents: Tensor<2>) -> Tensor<2> {
        let codes = self.codes();
        let lengths = |vectors: Tensor<2>| vectors.square().sum_dim(1);
        let products = matmul(latents.clone(), codes.clone().transpose()).mul_scalar(2.0);
        (products - lengths(latents) - lengths(codes).transpose()).div_scalar(self.settings.entropy_temperature)
    }
}

impl Quantizer for Vq {
    fn quantize(&self, latents: Tensor<3>, _: Draw) -> Quantized {
        let latents = self.scaled(latents);
        let codes = untracked(self.codes());
        let lengths = codes.clone().square().sum_dim(1).transpose();
        // |z - e|^2 without |z|^2, which is the same for every code
        let tokens = choose(&latents, |rows, _| {
            let distances = lengths.clone() - matmul(rows, codes.clone().transpose()).mul_scalar(2.0);
            distances.argmin(1).squeeze_dim(1)
        });
        let chosen = lookup(self.codes(), tokens.clone());
        let weights = CodebookWeights { commitment: self.settings.commitment_weight, codebook: self.settings.codebook_weight };
        let mut losses = weights.losses(latents.clone(), chosen.clone());
        let weights = UsageWeights { entropy: self.settings.entropy_weight, usage: self.settings.usage_weight };
        losses.extend(weights.losses(|| self.logits(latents.clone().flatten(0, 1))));
        Quantized { tokens, embeddings: straight_through(latents, chosen), losses }
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
        let latents = self.scaled(latents);
        set_rows(&mut self.embedding, codes, latents);
        true
    }
}
