//! Encoder, projections, quantizer, decoder and prior as one module.

use burn::module::Module;
use burn::nn::Linear;
use larp_traits::precision::linear_float32;
use larp_traits::{
    Backend, Component, Draw, DynDecoder, DynEncoder, DynPrior, DynQuantizer, Int, PriorLoss, Progress, Quantized, Tensor,
};

use super::ActNorm;

/// A video tokenizer. The projections to and from the code dimension belong to no plugin: every quantizer shares them.
#[derive(Component, Debug)]
pub struct Tokenizer {
    /// Clips to latents.
    pub encoder: DynEncoder,
    /// `[encoder dim, code_dim]`.
    pub project_in: Linear<Backend>,
    /// Between the projection and the quantizer, where the pipeline asks for it.
    pub norm: Option<ActNorm>,
    /// Latents to tokens.
    pub quantizer: DynQuantizer,
    /// `[code_dim, decoder dim]`.
    pub project_out: Linear<Backend>,
    /// Embeddings to clips.
    pub decoder: DynDecoder,
    /// Only while training.
    pub prior: Option<DynPrior>,
}

/// What a tokenizer makes of clips.
#[derive(Debug, Clone)]
pub struct Tokenized {
    /// Tokens, embeddings and losses of the quantizer.
    pub quantized: Quantized,
    /// What the quantizer took, `[batch, tokens, code_dim]`.
    pub latents: Tensor<3>,
    /// `[batch, channels, frames, height, width]`.
    pub reconstruction: Tensor<5>,
}

impl Tokenizer {
    /// Tokens and embeddings of clips.
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`, in [0, 1]
    pub fn quantize(&self, video: Tensor<5>, draw: Draw) -> Quantized {
        self.quantizer.quantize(self.latents(video), draw)
    }

    /// What the quantizer takes.
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`, in [0, 1]
    /// - output: `[batch, tokens, code_dim]`
    pub fn latents(&self, video: Tensor<5>) -> Tensor<3> {
        let latents = linear_float32(&self.project_in, self.encoder.encode(video));
        match &self.norm {
            Some(norm) => norm.forward(latents),
            None => latents,
        }
    }

    /// Starts the normalisation, where there is one, from clips.
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`, in [0, 1]
    pub fn start_norm(mut self, video: Tensor<5>) -> Self {
        if let Some(norm) = self.norm.take() {
            let frozen = (self.encoder.clone().no_grad(), self.project_in.clone().no_grad());
            self.norm = Some(norm.start(linear_float32(&frozen.1, frozen.0.encode(video))));
        }
        self
    }

    /// Clips to tokens and back.
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`, in [0, 1]
    pub fn forward(&self, video: Tensor<5>, draw: Draw) -> Tokenized {
        let latents = self.latents(video);
        let quantized = self.quantizer.quantize(latents.clone(), draw);
        let reconstruction = self.decode(quantized.embeddings.clone());
        Tokenized { quantized, latents, reconstruction }
    }

    /// Clips of tokens.
    ///
    /// # Shapes
    /// - tokens: `[batch, tokens]`
    /// - output: `[batch, channels, frames, height, width]`, near [0, 1] but not clamped
    pub fn decode_tokens(&self, tokens: Tensor<2, Int>) -> Tensor<5> {
        self.decode(self.quantizer.dequantize(tokens))
    }

    /// What the prior says of a sequence; `None` without a prior.
    ///
    /// # Panics
    /// When there is a prior and the quantizer's codes cannot be listed; the pipeline refuses this before it builds.
    pub fn prior_nll(&self, sequence: &Quantized, at: Progress, draw: Draw) -> Option<PriorLoss> {
        let prior = self.prior.as_ref()?;
        let codebook = self.quantizer.codebook().expect("checked when the pipeline was built");
        Some(prior.nll(sequence, codebook, at, draw))
    }

    fn decode(&self, embeddings: Tensor<3>) -> Tensor<5> {
        self.decoder.decode(linear_float32(&self.project_out, embeddings))
    }
}
