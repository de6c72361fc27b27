//! Sizes that travel between components.

use serde::{Deserialize, Serialize};

/// A clip as the model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoShape {
    /// Colour channels.
    pub channels: usize,
    /// Frames.
    pub frames: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

/// Latents of one clip: `tokens` vectors of `dim` values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatentShape {
    /// Number of tokens a clip.
    pub tokens: usize,
    /// Width of each.
    pub dim: usize,
}

/// What a quantizer offers to the parts after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantizerShape {
    /// Number of distinct tokens.
    pub vocab_size: usize,
    /// Width of an embedding.
    pub code_dim: usize,
    /// Whether it has a codebook that can be listed.
    pub codebook: bool,
}
