//! From pixels to tokens and back: the first layer of an encoder, the last of a decoder.

use burn::nn::{LayerNorm, Linear};
use larp_traits::{Backend, Component, Device, Init, Tensor, init};

use super::patchify::PatchGrid;

/// Patches through one linear layer (paper, equation 3).
#[derive(Component, Debug)]
pub struct PatchEmbed {
    /// `[values, dim]`.
    pub proj: Linear<Backend>,
    #[component(skip)]
    grid: PatchGrid,
}

impl PatchEmbed {
    /// Embeds the patches of `grid` in `dim` values.
    pub fn new(grid: PatchGrid, dim: usize, device: &Device) -> Self {
        let init = Init::xavier_uniform(grid.values(), dim);
        Self { proj: init::linear(grid.values(), dim, true, init, device), grid }
    }

    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`
    /// - output: `[batch, patches, dim]`
    pub fn forward(&self, video: Tensor<5>) -> Tensor<3> {
        self.proj.forward(self.grid.patchify(video))
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
        self.grid.unpatchify(self.linear.forward(self.norm.forward(tokens)))
    }
}
