//! Layers that several plugins share.

pub mod attention;
pub mod codes;
pub mod dropout;
pub mod filter;
pub mod gelu;
pub mod gpt;
pub mod llama;
pub mod lookup;
pub mod losses;
pub mod patchify;
pub mod pixels;
pub mod positions;
pub mod sample;
pub mod spectral;
pub mod vit;
