//! Training: one loop for both stages.
//!
//! ```text
//! train::run -> tokenizer stage -> checkpoint -> token cache -> generator stage -> report
//!                   \________ stage::run_stage ________/
//! ```

mod changes;
mod checkpoint;
mod collapse;
pub mod critic;
mod dead_codes;
mod dry_run;
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
mod watchdog;

pub(crate) use checkpoint::write_imported;
pub use checkpoint::{Checkpoint, kept, newest};
pub use dry_run::{CriticCost, DryRun, StageCost, Tokenizing, dry_run};
pub use session::{Event, Observer, Outcome, StageChoice, TrainRequest, run};
