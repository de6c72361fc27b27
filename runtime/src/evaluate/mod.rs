//! Numbers and pictures of held-out clips.

mod codes;
mod pixels;
mod prediction;
mod reconstruct;

pub use codes::CodeCounts;
pub use pixels::{ClipErrors, clip_errors, mean_frame};
pub use prediction::{PredictionScore, prediction_score};
pub(crate) use reconstruct::batches;
pub use reconstruct::{Measure, Reconstruction, reconstruct};
