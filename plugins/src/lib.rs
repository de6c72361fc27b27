//! The built-in components, one file each.
//!
//! | kind | names |
//! |---|---|
//! | encoder | `holistic`, `patchwise` |
//! | quantizer | `svq`, `vq` |
//! | decoder | `holistic`, `patchwise` |
//! | prior | `continuous-ar` |
//! | generator | `llama` |
//! | critic | `vit` |
//! | perceptual | `lpips-vgg` |
//! | features | `small3d`, `i3d` |
//!
//! A program that links this crate (`use larp_plugins as _;`) finds them in the registry.
#![recursion_limit = "256"]

pub mod critic;
pub mod decoder;
pub mod encoder;
pub mod features;
pub mod formula;
pub mod generator;
pub mod layers;
pub mod perceptual;
pub mod prior;
pub mod quantizer;
pub mod released;
mod weights;
