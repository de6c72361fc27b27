//! Priors that are trained with the tokenizer.

pub mod continuous_ar;
