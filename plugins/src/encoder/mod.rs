//! Clips to latents.

pub mod holistic;
pub mod patchwise;
