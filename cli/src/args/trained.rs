//! Arguments of the commands that use a trained run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use larp_runtime::data::WindowPolicy;

use super::sampling::SamplingArgs;
use super::train::DeviceArgs;

/// The run and the device.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Run folder that `train`, `demo` or `import` made
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Turn videos into tokens
///
/// The file holds `tokens`, int32 [clips, tokens]; its metadata say for each clip the file's name and the frame it starts at.
#[derive(Debug, Args)]
pub struct TokenizeArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Videos, GIFs, folders of images, or folders of those
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Which clips of a video
    #[arg(long, value_enum, default_value_t = WindowsArg::All)]
    pub windows: WindowsArg,
    /// File to write
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub output: PathBuf,
}

/// Show videos beside what their tokens alone give back, and measure the difference
///
/// For each clip a GIF, and an mp4 where FFmpeg is there, with the original on the left and the reconstruction on the right.
#[derive(Debug, Args)]
pub struct ReconstructArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Videos, GIFs, folders of images, or folders of those
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Which clips of a video
    #[arg(long, value_enum, default_value_t = WindowsArg::First)]
    pub windows: WindowsArg,
    /// Folder to write into
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Generate clips
///
/// The same seed gives the same clips. Sampling settings that are not given are the pipeline's.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Class by name or number; can be repeated [default: every class]
    #[arg(long, value_name = "NAME|INDEX")]
    pub class: Vec<String>,
    /// Clips of each class
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
    /// Strength of the classifier-free guidance; 1 is none
    #[arg(long, value_name = "SCALE")]
    pub cfg: Option<f64>,
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Folder to write into
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// Which windows of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WindowsArg {
    /// The first clip of each
    First,
    /// One after the other; the last repeats its last frame where the video ends
    All,
}

impl From<WindowsArg> for WindowPolicy {
    fn from(windows: WindowsArg) -> Self {
        match windows {
            WindowsArg::First => Self::First,
            WindowsArg::All => Self::All,
        }
    }
}
