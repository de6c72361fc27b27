//! Pre-norm transformer encoder (Dosovitskiy et al., 2020): LayerNorm, attention without qkv bias, MLP x4 with exact GELU.

use burn::nn::{LayerNorm, Linear};
use larp_traits::error::divides;
use larp_traits::precision::{full, linear};
use larp_traits::{Backend, Component, Device, Init, SettingsError, Tensor, init};

use super::attention::{AttentionInput, Mask, self_attention};
use super::gelu::gelu;

/// Sizes of a stack of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VitConfig {
    /// Width.
    pub dim: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
}

impl VitConfig {
    /// Checks the sizes; `part` names the settings in errors.
    ///
    /// # Errors
    /// When the heads do not divide the width, or the width is not divisible by 4 (sine-cosine codes of two axes).
    pub fn check(self, part: &str) -> Result<Self, SettingsError> {
        divides(&format!("{part}.heads"), self.heads, self.dim, &format!("{part}.dim"))?;
        if !self.dim.is_multiple_of(4) {
            return Err(SettingsError::value(format!("{part}.dim"), self.dim, "it must be divisible by 4"));
        }
        Ok(self)
    }

    /// Builds the blocks.
    pub fn init(self, device: &Device) -> Vit {
        Vit { blocks: (0..self.depth).map(|_| VitBlock::new(self, device)).collect() }
    }
}

/// A stack of blocks.
#[derive(Component, Debug)]
pub struct Vit {
    /// The blocks, first to last.
    pub blocks: Vec<VitBlock>,
}

impl Vit {
    /// # Shapes
    /// - tokens and output: `[batch, tokens, dim]`
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        self.blocks.iter().fold(tokens, |tokens, block| block.forward(tokens))
    }

    /// Lets `queries` gather from `context` in one sequence, and gives their part of the output (paper, equations 4 and 5).
    ///
    /// # Shapes
    /// - context: `[batch, tokens, dim]`
    /// - queries and output: `[batch, queries, dim]`
    pub fn gather(&self, context: Tensor<3>, queries: Tensor<3>) -> Tensor<3> {
        let (known, asked) = (context.dims()[1], queries.dims()[1]);
        self.forward(Tensor::cat(vec![context, queries], 1)).slice_dim(1, known..known + asked)
    }
}

/// One block.
#[derive(Component, Debug)]
pub struct VitBlock {
    /// Before the attention.
    pub norm1: LayerNorm<Backend>,
    /// Queries, keys and values, one after the other.
    pub qkv: Linear<Backend>,
    /// After the attention.
    pub proj: Linear<Backend>,
    /// Before the MLP.
    pub norm2: LayerNorm<Backend>,
    /// Widens.
    pub fc1: Linear<Backend>,
    /// Narrows.
    pub fc2: Linear<Backend>,
    heads: usize,
}

impl VitBlock {
    fn new(VitConfig { dim, heads, .. }: VitConfig, device: &Device) -> Self {
        let linear = |inputs, outputs, bias| init::linear(inputs, outputs, bias, Init::xavier_uniform(inputs, outputs), device);
        Self {
            norm1: init::layer_norm(dim, 1e-5, device),
            qkv: linear(dim, 3 * dim, false),
            proj: linear(dim, dim, true),
            norm2: init::layer_norm(dim, 1e-5, device),
            fc1: linear(dim, 4 * dim, true),
            fc2: linear(4 * dim, dim, true),
            heads,
        }
    }

    /// # Shapes
    /// - tokens and output: `[batch, tokens, dim]`
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let qkv = linear(&self.qkv, self.norm1.forward(tokens.clone()));
        let tokens = tokens + full(linear(&self.proj, self_attention(qkv, self.heads, Mask::Full)));
        let hidden = gelu(linear(&self.fc1, self.norm2.forward(tokens.clone())));
        tokens + full(linear(&self.fc2, hidden))
    }
}

/// Cuts `[batch, tokens, 3 * dim]` into queries, keys and values of `[batch, heads, tokens, dim / heads]`.
pub fn split_heads(qkv: Tensor<3>, heads: usize) -> AttentionInput {
    let [batch, tokens, width] = qkv.dims();
    let head_dim = width / 3 / heads;
    let split = qkv.reshape([batch, tokens, 3, heads, head_dim]).permute([2, 0, 3, 1, 4]);
    let part = |i: usize| split.clone().slice_dim(0, i..i + 1).squeeze_dim::<4>(0);
    AttentionInput { query: part(0), key: part(1), value: part(2) }
}

/// Joins `[batch, heads, tokens, head_dim]` to `[batch, tokens, heads * head_dim]`.
pub fn merge_heads(heads: Tensor<4>) -> Tensor<3> {
    let [batch, count, tokens, head_dim] = heads.dims();
    heads.swap_dims(1, 2).reshape([batch, tokens, count * head_dim])
}
