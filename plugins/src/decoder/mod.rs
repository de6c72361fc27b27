//! Embeddings to clips.

pub mod holistic;
pub mod patchwise;
