//! Arguments of `plugins` and `compose`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use larp_traits::Kind;

/// List, describe or start plugins
#[derive(Debug, Args)]
pub struct PluginsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: PluginsCommand,
}

/// The subcommands of `plugins`.
#[derive(Debug, Subcommand)]
pub enum PluginsCommand {
    List(ListArgs),
    Describe(DescribeArgs),
    New(NewArgs),
}

/// List the plugins of this program
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those of this kind
    #[arg(long, value_parser = kinds(), value_name = "KIND")]
    pub kind: Option<String>,
    /// Print an array of {kind, name, summary, source}
    #[arg(long)]
    pub json: bool,
}

/// Describe a plugin: what it is, where it comes from, and its default settings as TOML
#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// Kind and name, such as `quantizer/svq`
    #[arg(value_name = "KIND/NAME")]
    pub plugin: String,
}

/// Start a plugin crate: a small component that works, its conformance tests, and a program with it
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Kind of component
    #[arg(value_parser = kinds(), value_name = "KIND")]
    pub kind: String,
    /// Name of the plugin and its crate, such as `my-quantizer`
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Folder in which the crate is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
    /// Checkout of larp that the crate depends on [default: the one the folder lies in, else the released version]
    #[arg(long, value_name = "DIR", conflicts_with = "git")]
    pub path: Option<PathBuf>,
    /// Repository of larp that the crate depends on
    #[arg(long, value_name = "ADDRESS")]
    pub git: Option<String>,
}

/// Exchange parts of a pipeline by name
///
/// A new part starts with its default settings, and takes over the values of the keys that the old one had too. What cannot work is
/// refused. Without any option on a terminal, it asks step by step.
#[derive(Debug, Args)]
pub struct ComposeArgs {
    /// Pipeline to start from: a file, or a built-in one [default: larp-tiny]
    #[arg(long, value_name = "PIPELINE")]
    pub base: Option<String>,
    /// Encoder
    #[arg(long, value_name = "NAME")]
    pub encoder: Option<String>,
    /// Quantizer
    #[arg(long, value_name = "NAME")]
    pub quantizer: Option<String>,
    /// Decoder
    #[arg(long, value_name = "NAME")]
    pub decoder: Option<String>,
    /// Prior, or `none`
    #[arg(long, value_name = "NAME")]
    pub prior: Option<String>,
    /// Generator, or `none`
    #[arg(long, value_name = "NAME")]
    pub generator: Option<String>,
    /// Critic, or `none`
    #[arg(long, value_name = "NAME")]
    pub critic: Option<String>,
    /// Perceptual distance, or `none`
    #[arg(long, value_name = "NAME")]
    pub perceptual: Option<String>,
    /// Set a value, such as `quantizer.codebook_size=1024`; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// File to write; without it the pipeline is printed
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.map(Kind::name))
}
