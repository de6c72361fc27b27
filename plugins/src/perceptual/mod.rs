//! Perceptual distances.

pub mod formula;
pub mod lpips_vgg;
pub mod vgg;
mod weights;
