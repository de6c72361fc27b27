//! Where the numbers of a run come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::file::ProtocolChoice;
use crate::RuntimeError;
use crate::eval::EvalMeasure;
use crate::pipeline::Pipeline;
use crate::report::files::{METRICS as METRICS_FILE, SUMMARY};
use crate::report::{METRICS, MetricSplit, Stage, Summary, read, read_json};

/// The columns of an ablation that names none.
pub(super) const DEFAULT_METRICS: [&str; 6] = ["psnr", "l1", "code_usage", "prior_nll", "nll", "bits_per_token"];

/// A finished run, and what is asked of it.
#[derive(Debug)]
pub struct MeasureInput<'a> {
    /// The run folder with the weights.
    pub run: &'a Path,
    /// The variant's settings: its `sampling` may be another than that of the run.
    pub pipeline: &'a Pipeline,
    /// Metrics that are wanted of this measure.
    pub metrics: &'a [String],
    /// `cpu`, `libtorch`, ...
    pub device: &'a str,
    /// What `eval` measures on.
    pub protocol: &'a ProtocolChoice,
    /// This program, for measures that are better off in a process of their own.
    pub program: &'a Path,
}

/// Measures finished runs. Each wanted metric is asked of the first measure that knows its name, and its value is kept in the
/// ablation's folder: an expensive measurement is not repeated on resuming.
pub trait Measure: Send + Sync {
    /// The metrics it knows.
    fn names(&self) -> Vec<String>;

    /// Their values, by name; a metric that this run does not have, such as the prior's of a variant without one, is left out.
    ///
    /// # Errors
    /// When the run cannot be measured.
    fn measure(&self, input: &MeasureInput<'_>) -> Result<BTreeMap<String, f64>, RuntimeError>;
}

/// What there is, in the order in which it is asked.
pub fn default_measures() -> Vec<Box<dyn Measure>> {
    // the summary claims every known name, also those that training does not measure
    vec![Box::new(EvalMeasure), Box::new(SummaryMeasure)]
}

/// What training itself measured at its end on held-out clips: all [`METRICS`], and `<stage>_parameters` and `<stage>_seconds`.
#[derive(Debug, Clone, Copy)]
pub struct SummaryMeasure;

impl Measure for SummaryMeasure {
    fn names(&self) -> Vec<String> {
        let of_stage = |stage: Stage| [format!("{stage}_parameters"), format!("{stage}_seconds")];
        METRICS.iter().map(|info| info.name.to_owned()).chain(Stage::ALL.into_iter().flat_map(of_stage)).collect()
    }

    fn measure(&self, input: &MeasureInput<'_>) -> Result<BTreeMap<String, f64>, RuntimeError> {
        let mut values = BTreeMap::new();
        // the log has what the summary leaves out; a stage's last validation wins, the first stage's over the second's
        let log: PathBuf = input.run.join(METRICS_FILE);
        let mut records = if log.is_file() { read(&log)? } else { Vec::new() };
        records.retain(|record| record.split == MetricSplit::Validation);
        records.sort_by_key(|record| (std::cmp::Reverse(record.stage), record.step));
        for record in records {
            values.extend(record.values);
        }
        let summary: Summary = read_json(&input.run.join(SUMMARY))?;
        for stage in summary.stages.into_iter().rev() {
            values.insert(format!("{}_parameters", stage.stage), stage.parameters as f64);
            values.insert(format!("{}_seconds", stage.stage), stage.seconds);
            values.extend(stage.metrics);
        }
        values.retain(|name, _| input.metrics.contains(name));
        Ok(values)
    }
}
