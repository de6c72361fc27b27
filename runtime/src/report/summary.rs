//! The outcome of a run, `summary.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::Stage;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Whether all stages ran to their end.
    pub complete: bool,
    /// Wall time of the whole run.
    pub seconds: f64,
    /// The stages that ran, in order.
    pub stages: Vec<StageSummary>,
}

/// What one stage came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSummary {
    /// The stage.
    pub stage: Stage,
    /// Optimizer steps done.
    pub steps: u64,
    /// Wall time.
    pub seconds: f64,
    /// Trainable parameters.
    pub parameters: u64,
    /// Final metrics under the names of [`METRICS`](super::METRICS); they take precedence over the log.
    #[serde(with = "super::values")]
    pub metrics: BTreeMap<String, f64>,
}
