//! Arguments of `ablate`.

use std::path::PathBuf;

use clap::Args;

use super::train::DeviceArgs;

/// Train variants of a pipeline with several seeds, and compare them in one table
///
/// An ablation file names a base pipeline and what each variant changes; built-in ones are table2, tokens, size and
/// holistic-vs-patchwise, and each of them with `-mini` on drawn clips. Every run is a run folder as `train` makes it. What is finished
/// already is not run again; a run that fails does not stop the others. Exit code 1 where one failed.
#[derive(Debug, Args)]
pub struct AblateArgs {
    /// An ablation file, or a built-in one
    #[arg(value_name = "FILE.toml|NAME")]
    pub ablation: String,
    /// Folder of the runs, the table and `report.html` [default: `ablations/NAME`]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Runs at the same time, a process each
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Go on with the ablation in the folder; failed runs are tried again, new variants and seeds are added
    #[arg(long)]
    pub resume: bool,
    /// Seeds instead of those of the file, such as `0,1,2`
    #[arg(long, value_name = "SEED,..", value_delimiter = ',')]
    pub seeds: Vec<u64>,
    /// `procedural`, a folder of class folders, a CSV of `path,label`, or a video; instead of the pipeline's
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Set a value of the base pipeline, and so of every variant; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}
