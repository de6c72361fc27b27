//! Training: one loop for both stages.
//!
//! ```text
//! train::run -> tokenizer stage -> checkpoint -> token cache -> generator stage -> report
//!                   \________ stage::run_stage ________/
//! ```

mod checkpoint;
pub mod critic;
mod ema;
mod frames;
mod generator;
mod gradients;
mod held_out_frames;
mod optimizer;
mod schedule;
mod session;
mod stage;
mod tokenizer;

pub(crate) use checkpoint::write_imported;
pub use checkpoint::{Checkpoint, newest};
pub use session::{Event, Observer, Outcome, StageChoice, TrainRequest, run};
