//! The parts of a pipeline, built and wired.

mod tokenizer;

pub use tokenizer::{Tokenized, Tokenizer};
