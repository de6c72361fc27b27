//! What happens to a pipeline: it is read, checked, built, trained, and generates.
//!
//! ```text
//! pipeline file -> Pipeline -> Tokenizer, generator
//! data -> train (both stages) -> run folder: checkpoints, metrics, samples, report
//! run folder -> tokenize, reconstruct, generate, predict, analyze
//! run folder, protocol -> eval -> numbers with the protocol's card
//! checkpoints of other programs -> run folder -> checkpoints of other programs
//! ablation -> many runs -> one table
//! ```
//!
//! No plugin is named here: a program links the crates whose plugins it wants.
#![recursion_limit = "256"]

pub mod ablate;
pub mod analyze;
pub mod clip;
pub mod convert;
#[cfg(feature = "cuda")]
mod cuda;
pub mod data;
pub mod device;
pub mod doctor;
pub mod error;
pub mod eval;
pub mod evaluate;
pub mod foreign;
mod format;
pub mod inspect;
pub mod media;
pub mod memory;
pub mod model;
pub mod pipeline;
pub mod predict;
pub mod report;
pub mod run;
pub mod scaffold;
pub mod tokens;
pub mod train;
pub mod use_run;

pub use error::RuntimeError;
