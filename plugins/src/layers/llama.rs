//! Llama blocks (Touvron et al., 2023): RMSNorm, no biases, SwiGLU; positions are added before the first block.

use burn::nn::{Linear, RmsNorm};
use burn::tensor::activation::silu;
use larp_traits::precision::{full, linear};
use larp_traits::{Backend, Component, Device, Draw, Init, Tensor, init};

use super::attention::{AttentionInput, Mask, attention, self_attention};
use super::dropout::dropout;
use super::vit::{merge_heads, split_heads};

/// Sizes and dropout of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LlamaBlockConfig {
    /// Width.
    pub dim: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width within the SwiGLU.
    pub hidden: usize,
    /// Dropout on what the attention adds.
    pub residual_dropout: f64,
    /// Dropout on what the feed-forward layer adds.
    pub ffn_dropout: f64,
}

/// Width of the SwiGLU: two thirds of four times the width, rounded up to a multiple.
pub fn swiglu_hidden(dim: usize, multiple_of: usize) -> usize {
    (8 * dim / 3).next_multiple_of(multiple_of)
}

/// Keys and values of the tokens so far, `[batch, heads, tokens, head_dim]` each.
#[derive(Debug, Clone, Default)]
pub struct KvCache {
    known: Option<(Tensor<4>, Tensor<4>)>,
}

impl KvCache {
    /// Adds those of new tokens and gives all.
    fn extend(&mut self, key: Tensor<4>, value: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let all = match self.known.take() {
            Some((keys, values)) => (Tensor::cat(vec![keys, key], 2), Tensor::cat(vec![values, value], 2)),
            None => (key, value),
        };
        self.known = Some(all.clone());
        all
    }
}

/// One causal block.
#[derive(Component, Debug)]
pub struct LlamaBlock {
    /// Before the attention.
    pub attention_norm: RmsNorm<Backend>,
    /// Queries, keys and values, one after the other.
    pub qkv: Linear<Backend>,
    /// After the attention.
    pub proj: Linear<Backend>,
    /// Before the feed-forward layer.
    pub ffn_norm: RmsNorm<Backend>,
    /// The gate of the SwiGLU (`w1`).
    pub gate: Linear<Backend>,
    /// What is gated (`w3`).
    pub up: Linear<Backend>,
    /// Back to the width (`w2`).
    pub down: Linear<Backend>,
    #[component(skip)]
    config: LlamaBlockConfig,
}

impl LlamaBlock {
    /// Builds the block.
    pub fn new(config: LlamaBlockConfig, device: &Device) -> Self {
        let linear = |inputs, outputs| init::linear(inputs, outputs, false, Init::Normal { std: 0.02 }, device);
        let LlamaBlockConfig { dim, hidden, .. } = config;
        Self {
            attention_norm: init::rms_norm(dim, 1e-5, device),
            qkv: linear(dim, 3 * dim),
            proj: linear(dim, dim),
            ffn_norm: init::rms_norm(dim, 1e-5, device),
            gate: linear(dim, hidden),
            up: linear(dim, hidden),
            down: linear(hidden, dim),
            config,
        }
    }

    /// A whole sequence.
    ///
    /// # Shapes
    /// - tokens and output: `[batch, tokens, dim]`
    pub fn forward(&self, tokens: Tensor<3>, draw: Draw) -> Tensor<3> {
        let attended = self_attention(self.qkv(&tokens), self.config.heads, Mask::Causal);
        self.finish(tokens, attended, draw)
    }

    /// The next tokens after those in the cache: any number when it is empty, then one at a time.
    ///
    /// # Shapes
    /// - tokens and output: `[batch, tokens, dim]`
    pub fn step(&self, tokens: Tensor<3>, cache: &mut KvCache) -> Tensor<3> {
        let AttentionInput { query, key, value } = split_heads(self.qkv(&tokens), self.config.heads);
        let mask = if tokens.dims()[1] > 1 { Mask::Causal } else { Mask::Full };
        let (key, value) = cache.extend(key, value);
        let attended = merge_heads(attention(AttentionInput { query, key, value }, mask));
        self.finish(tokens, attended, Draw::Deterministic)
    }

    fn qkv(&self, tokens: &Tensor<3>) -> Tensor<3> {
        linear(&self.qkv, self.attention_norm.forward(tokens.clone()))
    }

    fn finish(&self, tokens: Tensor<3>, attended: Tensor<3>, draw: Draw) -> Tensor<3> {
        let added = full(linear(&self.proj, attended));
        let tokens = tokens + dropout(added, self.config.residual_dropout, draw.fork("residual"));
        let normed = self.ffn_norm.forward(tokens.clone());
        let added = full(linear(&self.down, silu(linear(&self.gate, normed.clone())) * linear(&self.up, normed)));
        tokens + dropout(added, self.config.ffn_dropout, draw.fork("ffn"))
    }
}
