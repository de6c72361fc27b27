//! One line of `metrics.jsonl`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The part of a pipeline that a record or sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Training of the tokenizer.
    Tokenizer,
    /// Training of the generator on the tokens.
    Generator,
}

impl Stage {
    /// All stages, in the order in which a pipeline runs them.
    pub const ALL: [Self; 2] = [Self::Tokenizer, Self::Generator];

    /// The name in files, folders and tags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokenizer => "tokenizer",
            Self::Generator => "generator",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The data that metrics were measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricSplit {
    /// Clips that the model learns from.
    Train,
    /// Clips held out.
    Validation,
}

impl MetricSplit {
    /// The name in files and tags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
        }
    }
}

impl fmt::Display for MetricSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Metrics of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRecord {
    /// The part of the pipeline.
    pub stage: Stage,
    /// The data measured on.
    pub split: MetricSplit,
    /// Optimizer steps done.
    pub step: u64,
    /// Training time of this stage so far.
    pub elapsed_seconds: f64,
    /// Metrics by name; see [`METRICS`](super::METRICS) for the known ones.
    #[serde(with = "super::values")]
    pub values: BTreeMap<String, f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_json_cannot_hold_survive() {
        let values = [("a", f64::NAN), ("b", f64::INFINITY), ("c", f64::NEG_INFINITY), ("d", 0.5)];
        let record = MetricRecord {
            stage: Stage::Tokenizer,
            split: MetricSplit::Train,
            step: 3,
            elapsed_seconds: 1.5,
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(
            text,
            r#"{"stage":"tokenizer","split":"train","step":3,"elapsed_seconds":1.5,"values":{"a":"NaN","b":"inf","c":"-inf","d":0.5}}"#
        );
        let read: MetricRecord = serde_json::from_str(&text).unwrap();
        assert!(read.values["a"].is_nan());
        assert_eq!((read.values["b"], read.values["c"]), (f64::INFINITY, f64::NEG_INFINITY));
    }

    #[test]
    fn null_reads_as_nan() {
        let text = r#"{"stage":"generator","split":"validation","step":1,"elapsed_seconds":0,"values":{"nll":null}}"#;
        let read: MetricRecord = serde_json::from_str(text).unwrap();
        assert!(read.values["nll"].is_nan());
    }
}
