//! What a run leaves for people to read: metrics, TensorBoard events, the environment and one HTML page.
//!
//! A run folder holds plain files, and [`write_report`] builds `report.html` from them at any time:
//!
//! ```text
//! run/pipeline.toml        resolved settings
//! run/environment.json     Environment
//! run/metrics.jsonl        a MetricRecord a line, through MetricsWriter
//! run/summary.json         Summary, written at the end
//! run/problems.jsonl       a data::Problem a line: files that could not be decoded
//! run/analysis/<name>/analysis.json, and the pictures that it names
//! run/samples/tokenizer/step-00000100/{clip-00.gif, sheet.png}
//! run/samples/generator/step-00000100/<class name>-00.gif, or clip-00.{gif, png} where frames are predicted
//! ```

mod analyses;
mod cards;
mod charts;
mod curves;
mod embed;
mod environment;
mod error;
mod format;
mod html;
mod json;
mod metric_names;
mod metrics;
mod page;
mod pictures;
mod problems;
mod record;
mod samples;
mod summary;
mod tensorboard;
mod thin;
pub(crate) mod values;

pub use curves::{Curve, CurveRole, Scale, draw_curves};
pub use environment::{Environment, EnvironmentInput};
pub use error::ReportError;
pub use format::number;
pub(crate) use format::tick;
pub(crate) use html::write_page;
pub use html::write_report;
pub use json::{read_json, write_json};
pub use metric_names::{METRICS, MetricInfo, Unit, metric_info};
pub use metrics::{MetricsWriter, read};
pub(crate) use page::{Fact, environment_facts};
pub use problems::{read_problems, write_problems};
pub use record::{MetricRecord, MetricSplit, Stage};
pub use samples::{clip_name, generated_name, prediction_sheet_name, step_folder};
pub use summary::{StageSummary, Summary, Warning};
pub use tensorboard::EventWriter;

/// Names of the files in a run folder.
pub mod files {
    /// Resolved settings.
    pub const PIPELINE: &str = "pipeline.toml";
    /// The [`Environment`](super::Environment).
    pub const ENVIRONMENT: &str = "environment.json";
    /// The [`MetricRecord`](super::MetricRecord)s.
    pub const METRICS: &str = "metrics.jsonl";
    /// The [`Summary`](super::Summary).
    pub const SUMMARY: &str = "summary.json";
    /// The [`Problem`](crate::data::Problem)s.
    pub const PROBLEMS: &str = "problems.jsonl";
    /// Folder of pictures and clips.
    pub const SAMPLES: &str = "samples";
    /// The page.
    pub const REPORT: &str = "report.html";
}
