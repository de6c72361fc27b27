//! Arguments of `demo` and `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use larp_runtime::train::StageChoice;

/// Train a small tokenizer and generator on procedural clips, and show what they can do
///
/// Minutes on two cores; nothing is downloaded. The run folder holds reconstructions, generated clips and `report.html`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Run folder [default: `runs/demo`, or `runs/demo-2` and so on where that is taken]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    #[command(flatten)]
    pub training: TrainingArgs,
}

/// Train a pipeline
///
/// A run folder keeps settings, checkpoints, metrics, samples and `report.html`. Ctrl-C saves a checkpoint and stops; `--resume` with the
/// same settings goes on, also after a kill.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// A pipeline file, or a built-in one: patchwise-tiny, larp-tiny, frame-prediction-tiny, larp-s, larp-b, larp-l
    #[arg(value_name = "PIPELINE")]
    pub pipeline: String,
    /// Run folder
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    pub run: Option<PathBuf>,
    /// Take a few steps a stage, print parameters, memory and time, and write nothing
    #[arg(long, conflicts_with_all = ["run", "resume"])]
    pub dry_run: bool,
    /// With `--dry-run`: print JSON
    #[arg(long, requires = "dry_run")]
    pub json: bool,
    /// What to train
    #[arg(long, value_enum, default_value_t = StageArg::All)]
    pub stage: StageArg,
    /// `procedural`, a folder of class folders, a CSV of `path,label`, or a video; instead of the pipeline's
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Stop as after Ctrl-C when standard input closes, and wait while another process trains in the folder; `ablate` sets it, so that
    /// no run outlives it
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
    #[command(flatten)]
    pub training: TrainingArgs,
}

/// What `demo` and `train` share.
#[derive(Debug, Args)]
pub struct TrainingArgs {
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Go on with the run in the folder
    #[arg(long)]
    pub resume: bool,
    /// With `--resume`: go on although settings or data are other ones than those the run was started with
    #[arg(long, requires = "resume")]
    pub allow_changes: bool,
    /// Set a value of the pipeline, such as `train.tokenizer.steps=100`; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Where to compute.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// `cpu`, `libtorch`, `libtorch:cuda:N` or `cuda:N`; `doctor` lists those of this machine
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
}

/// The stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StageArg {
    /// Encoder, quantizer, decoder and prior
    Tokenizer,
    /// The generator, on the tokens of the run's tokenizer
    Generator,
    /// One after the other
    All,
}

impl From<StageArg> for StageChoice {
    fn from(stage: StageArg) -> Self {
        match stage {
            StageArg::Tokenizer => Self::Tokenizer,
            StageArg::Generator => Self::Generator,
            StageArg::All => Self::All,
        }
    }
}
