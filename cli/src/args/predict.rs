//! Arguments of `predict`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use larp_runtime::predict::GivenFrames;

use super::sampling::SamplingArgs;
use super::trained::{RunArgs, WindowsArg};

/// Predict how clips go on from their first frames
///
/// For each clip a GIF, and an mp4 where FFmpeg is there, and a PNG with the real frames above the predicted ones; a bar marks the border
/// between given and predicted frames. The same seed gives the same clips. Needs a run whose generator was trained with `task =
/// "frame-prediction"`; there is no guidance.
#[derive(Debug, Args)]
pub struct PredictArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Videos, GIFs, folders of images, or folders of those
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Which clips of a video
    #[arg(long, value_enum, default_value_t = WindowsArg::First)]
    pub windows: WindowsArg,
    /// Number of frames to go on from [default: as in training]
    #[arg(long, value_name = "N")]
    pub frames: Option<usize>,
    /// Which frames the predicted clip begins with [default: the pipeline's]
    #[arg(long, value_enum, value_name = "WHICH")]
    pub given: Option<GivenArg>,
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Folder to write into
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which frames a predicted clip begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GivenArg {
    /// What the generator made of the given ones
    Generated,
    /// The given ones
    Kept,
}

impl From<GivenArg> for GivenFrames {
    fn from(given: GivenArg) -> Self {
        match given {
            GivenArg::Generated => Self::Generated,
            GivenArg::Kept => Self::Kept,
        }
    }
}
