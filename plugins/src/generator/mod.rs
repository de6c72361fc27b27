//! Models of token sequences.

pub mod llama;
