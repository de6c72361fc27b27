//! Perceptual distances.

pub mod lpips_vgg;
pub mod vgg;
