//! Arguments of the commands that only look: `inspect`, `data check`, `doctor`, `completions`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

/// Show the parts of a pipeline, the shapes along the way, and its size
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A pipeline file, a run folder, or a built-in one: patchwise-tiny, larp-tiny, larp-s, larp-b, larp-l
    #[arg(value_name = "PIPELINE")]
    pub pipeline: String,
    /// Set a value, such as `encoder.depth=12`; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// List the settings on which the paper and its released code differ, and the side that each is on
    #[arg(long)]
    pub preset_diff: bool,
    /// The protocol whose settings are among them: a file, or a built-in one
    #[arg(long, value_name = "NAME|FILE", default_value = "held-out", requires = "preset_diff")]
    pub protocol: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Look at data
#[derive(Debug, Args)]
pub struct DataArgs {
    /// What to do
    #[command(subcommand)]
    pub command: DataCommand,
}

/// The subcommands of `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Decode every file to its end, and list frames, size, frame rate and problems
    Check {
        /// A folder, a CSV of `path,label`, or a file
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List every file with hashes of its bytes and frames and its splits, and report clips that are there twice or in two splits
    Manifest {
        /// A folder, a CSV of `path,label[,split]`, or a file
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Write the list as CSV
        #[arg(short, long, value_name = "FILE.csv")]
        output: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Show devices, FFmpeg, libtorch, CUDA, memory and disk: what is missing, and how to get it
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Print a script that completes the commands in a shell
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}
