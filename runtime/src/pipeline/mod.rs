//! A pipeline file, read, checked and built.
//!
//! ```text
//! file or built-in --source--> table --set--> table --parse--> Pipeline --plan--> Plan (sizes along the way)
//!                                       compose                         --build-> Tokenizer, generator
//! ```

mod build;
mod builtin;
mod codes;
mod compose;
mod critic;
mod data;
mod error;
mod plan;
mod preset;
mod sampling;
mod settings;
mod source;
mod training;
pub(crate) mod value;
mod write;

pub use builtin::{builtin, builtin_names};
pub use codes::{CollapseSettings, DeadCodes};
pub use compose::{Composition, Part, compose};
pub use critic::{Applied, CriticLoss, CriticTraining, LeCamSettings, R1Settings, Smoothing, Weighting};
pub use error::PipelineError;
pub use plan::Plan;
pub(crate) use preset::sides;
pub use preset::{Preset, SettingSide, Side};
pub use sampling::SamplingSettings;
pub use settings::{Bottleneck, BottleneckNorm, ClipSettings, Losses, Pipeline};
pub use source::Source;
pub use training::{GeneratorTraining, OptimizerSettings, TokenizerTraining, Train};
