//! From pixels to tokens and back: the first layer of an encoder, the last of a decoder.

use burn::nn::{LayerNorm, Linear};
use larp_traits::error::positive;
use larp_traits::precision::linear_float32;
use larp_traits::{Backend, Component, Device, Init, SettingsError, Tensor, init};
use serde::{Deserialize, Serialize};

use super::patchify::PatchGrid;

/// How pixels enter the embedding of an encoder's patches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchEmbedConfig {
    /// Factor of its first weights; 1 in the paper. Above 1 the patches outweigh the position codes they are added to, which a
    /// short training needs.
    pub gain: f64,
    /// Pixels from -1 to 1 instead of the paper's 0 to 1: the mean of a patch then says less than what is in it.
    pub centred: bool,
}

impl Default for PatchEmbedConfig {
    /// As in the paper.
    fn default() -> Self {
        Self { gain: 1.0, centred: false }
    }
}

impl PatchEmbedConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// When a value cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        positive("encoder.patch_embedding.gain", self.gain)
    }
}

/// Patches through one linear layer (paper, equation 3).
#[derive(Component, Debug)]
pub struct PatchEmbed {
    /// `[values, dim]`.
    pub proj: Linear<Backend>,
    #[component(skip)]
    grid: PatchGrid,
    #[component(skip)]
    centred: bool,
}

impl PatchEmbed {
    /// Embeds the patches of `grid` in `dim` values.
    pub fn new(grid: PatchGrid, dim: usize, settings: PatchEmbedConfig, device: &Device) -> Self {
        let init = Init::xavier_uniform_times(settings.gain, grid.values(), dim);
        Self { proj: init::linear(grid.values(), dim, true, init, device), grid, centred: settings.centred }
    }

    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`
    /// - output: `[batch, patches, dim]`
    pub fn forward(&self, video: Tensor<5>) -> Tensor<3> {
        let pixels = if self.centred { video * 2.0 - 1.0 } else { video };
        linear_float32(&self.proj, self.grid.patchify(pixels))
    }
}

/// LayerNorm and a linear layer to the values of a patch, which starts at zero (SPEC.md, sizes).
#[derive(Component, Debug)]
pub struct PixelHead {
    /// Epsilon 1e-6.
    pub norm: LayerNorm<Backend>,
    /// `[dim, values]`.
    pub linear: Linear<Backend>,
    #[component(skip)]
    grid: PatchGrid,
}

impl PixelHead {
    /// Draws the patches of `grid` from `dim` values.
    pub fn new(grid: PatchGrid, dim: usize, device: &Device) -> Self {
        let linear = init::linear(dim, grid.values(), true, Init::Zeros, device);
        Self { norm: init::layer_norm(dim, 1e-6, device), linear, grid }
    }

    /// # Shapes
    /// - tokens: `[batch, patches, dim]`
    /// - output: `[batch, channels, frames, height, width]`
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<5> {
        self.grid.unpatchify(linear_float32(&self.linear, self.norm.forward(tokens)))
    }
}
