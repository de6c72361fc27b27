//! The parts of a pipeline, built and wired.

mod act_norm;
mod tokenizer;

pub use act_norm::ActNorm;
pub use tokenizer::{Tokenized, Tokenizer};
