//! Numbers that can be got again.
//!
//! ```text
//! protocol, run, data --measure--> Shard (values of each clip, moments of features) --join--> Shard --finish--> EvalResult, with its Card
//! ```
//!
//! A measurement in one process is a shard of one. Clips go through the models in blocks that do not depend on the number of shards, so
//! the shards of any number of machines join into the very numbers of one process.

mod ablation;
mod bootstrap;
mod card;
mod compare;
mod frechet;
mod join;
mod measure;
mod metric;
mod moments;
mod protocol;
mod result;
mod set;
mod shard;
mod sides;
mod ssim;
mod write;

#[cfg(test)]
mod python;

pub use ablation::EvalMeasure;
pub use bootstrap::{CONFIDENCE, deviation_interval, percentile_interval};
pub use card::{Card, CheckpointCard, FeatureCard, SamplingCard};
pub use compare::{Comparison, compare};
pub use frechet::frechet_distance;
pub use join::{join, open_shards};
pub use measure::{EvalRequest, ShardChoice, measure};
pub use metric::{Metric, Value};
pub use moments::{Moments, Normalisation};
pub use protocol::{ClassChoice, PictureSize, Protocol, ProtocolChanges, WindowChoice, protocol_names};
pub use result::{EvalResult, finish};
pub use set::FeatureSet;
pub use shard::{ClipEntry, Shard, shard_name};
pub use ssim::ssim;
pub use write::{RESULT, write_result};
