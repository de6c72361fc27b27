//! GPT-2 blocks (Radford et al., 2019): pre-norm, separate projections with biases, exact GELU.

use burn::nn::{LayerNorm, Linear};
use larp_traits::precision::{full, linear};
use larp_traits::{Backend, Component, Device, Draw, Init, Stream, Tensor, init};
use serde::{Deserialize, Serialize};

use super::attention::{AttentionInput, Mask, attention_with_dropout};
use super::dropout::dropout;
use super::gelu::gelu;
use super::vit::merge_heads;

/// Dropout probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GptDropout {
    /// After the input and position embeddings.
    pub embedding: f64,
    /// On what a block adds to its input.
    pub residual: f64,
    /// On attention probabilities.
    pub attention: f64,
    /// Whether the attention dropout stays on in evaluation, as in the released code (SPEC.md, departure 10); its mask is then the same
    /// each time.
    pub attention_in_evaluation: bool,
}

impl Default for GptDropout {
    /// As in the released code.
    fn default() -> Self {
        Self { embedding: 0.1, residual: 0.1, attention: 0.1, attention_in_evaluation: false }
    }
}

/// One causal block.
#[derive(Component, Debug)]
pub struct GptBlock {
    /// Before the attention.
    pub norm1: LayerNorm<Backend>,
    /// Queries.
    pub query: Linear<Backend>,
    /// Keys.
    pub key: Linear<Backend>,
    /// Values.
    pub value: Linear<Backend>,
    /// After the attention.
    pub proj: Linear<Backend>,
    /// Before the MLP.
    pub norm2: LayerNorm<Backend>,
    /// Widens.
    pub fc1: Linear<Backend>,
    /// Narrows.
    pub fc2: Linear<Backend>,
    heads: usize,
    #[component(skip)]
    dropout: GptDropout,
}

impl GptBlock {
    /// A block of width `dim`.
    pub fn new(dim: usize, heads: usize, dropout: GptDropout, device: &Device) -> Self {
        let linear = |inputs, outputs| init::linear(inputs, outputs, true, Init::xavier_uniform(inputs, outputs), device);
        Self {
            norm1: init::layer_norm(dim, 1e-5, device),
            query: linear(dim, dim),
            key: linear(dim, dim),
            value: linear(dim, dim),
            proj: linear(dim, dim),
            norm2: init::layer_norm(dim, 1e-5, device),
            fc1: linear(dim, 4 * dim),
            fc2: linear(4 * dim, dim),
            heads,
            dropout,
        }
    }

    /// What attention probabilities are dropped by.
    fn attention_draw(&self, draw: Draw) -> Draw {
        match draw {
            _ if self.dropout.attention == 0.0 => Draw::Deterministic,
            Draw::Deterministic if self.dropout.attention_in_evaluation => Draw::Stream(Stream::new(0)).fork("evaluation"),
            draw => draw.fork("attention"),
        }
    }

    /// # Shapes
    /// - tokens and output: `[batch, tokens, dim]`
    pub fn forward(&self, tokens: Tensor<3>, draw: Draw) -> Tensor<3> {
        let normed = self.norm1.forward(tokens.clone());
        let [batch, count, dim] = normed.dims();
        let heads = |layer: &Linear<Backend>| {
            linear(layer, normed.clone()).reshape([batch, count, self.heads, dim / self.heads]).swap_dims(1, 2)
        };
        let input = AttentionInput { query: heads(&self.query), key: heads(&self.key), value: heads(&self.value) };
        let attended = attention_with_dropout(input, Mask::Causal, self.dropout.attention, self.attention_draw(draw));
        let added = full(linear(&self.proj, merge_heads(attended)));
        let tokens = tokens + dropout(added, self.dropout.residual, draw.fork("residual"));
        let hidden = gelu(linear(&self.fc1, self.norm2.forward(tokens.clone())));
        tokens + dropout(full(linear(&self.fc2, hidden)), self.dropout.residual, draw.fork("mlp"))
    }
}
