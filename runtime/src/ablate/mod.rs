//! Ablations: variants of a pipeline, each trained with several seeds, and one table of what came out.
//!
//! ```text
//! ablation file -> AblationFile -plan-> Plan: variants x seeds
//!   Plan -run-> a child process `train` for each that is missing -> a run folder each
//!   run folders -Measure-> Measured -collect-> Results -> terminal, Markdown, CSV, JSON, report.html
//! ```
//!
//! The folder of an ablation:
//!
//! ```text
//! DIR/ablation.toml  results.json  results.csv  results.md  report.html
//! DIR/runs/<variant>/seed-<n>/       a run folder, as `train` makes it
//! DIR/pipelines/<variant>-seed-<n>.toml  logs/<variant>-seed-<n>.log  measured/<variant>-seed-<n>.json
//! ```

mod builtin;
mod chart;
mod child;
mod difference;
mod error;
mod export;
mod file;
mod folder;
mod measure;
mod page;
mod plan;
mod results;
mod runner;
mod statistics;

pub use builtin::{ablation, ablation_names};
pub use difference::Difference;
pub use error::AblateError;
pub use export::{cell, csv_text, markdown};
pub use file::{AblationFile, PlotSettings, ProtocolChoice, VariantSettings};
pub use folder::{AblationFolder, RunState};
pub use measure::{Measure, MeasureInput, SummaryMeasure, default_measures};
pub use plan::{Overrides, Plan, SubRun, Variant};
pub use results::{MetricColumn, Results, RunResult, VariantResult};
pub use runner::{AblateEvent, AblateObserver, AblateOutcome, AblateRequest, run};
pub use statistics::{Estimate, estimate, paired_difference};
