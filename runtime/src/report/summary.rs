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
    /// What a reader of the numbers should know, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Something that happened in a run and bears on its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// The stage that was on its way.
    pub stage: Stage,
    /// Optimizer steps it had done.
    pub step: u64,
    /// What happened, and what to do about it.
    pub message: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, step {}: {}", self.stage, self.step, self.message)
    }
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
