//! The command line; the comments are its help texts.

mod ablate;
mod analyze;
mod compose;
mod eval;
mod foreign;
mod look;
mod predict;
mod sampling;
mod train;
mod trained;

pub use ablate::AblateArgs;
pub use analyze::{AnalyzeArgs, AnalyzeCommand, ClipArgs, OutputArgs, SourceArgs};
pub use compose::{ComposeArgs, DescribeArgs, ListArgs, NewArgs, PluginsArgs, PluginsCommand};
pub use eval::EvalArgs;
pub use foreign::{ExportArgs, ImportArgs};
pub use look::{CompletionsArgs, DataArgs, DataCommand, DoctorArgs, InspectArgs};
pub use predict::PredictArgs;
pub use train::{DemoArgs, TrainArgs, TrainingArgs};
pub use trained::{GenerateArgs, ReconstructArgs, RunArgs, TokenizeArgs};

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Parser, Subcommand};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

/// Train video tokenizers and generators from interchangeable plugins, and use them
///
/// A pipeline file names the parts: encoder, quantizer, decoder, prior, generator. `demo` shows the whole in minutes, with nothing to
/// download; `train` trains a pipeline on clips of yours; `tokenize`, `reconstruct`, `generate` and `predict` use what was trained,
/// or what `import` takes over from the authors' released code.
#[derive(Debug, Parser)]
#[command(version, styles = STYLES, max_term_width = 100)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Log more: -v for information, -vv for details; `RUST_LOG` takes precedence
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(DemoArgs),
    Plugins(PluginsArgs),
    Compose(ComposeArgs),
    Inspect(InspectArgs),
    Train(TrainArgs),
    Ablate(AblateArgs),
    Tokenize(TokenizeArgs),
    Reconstruct(ReconstructArgs),
    Generate(GenerateArgs),
    Predict(PredictArgs),
    Eval(EvalArgs),
    Analyze(AnalyzeArgs),
    Import(ImportArgs),
    Export(ExportArgs),
    Data(DataArgs),
    Doctor(DoctorArgs),
    Completions(CompletionsArgs),
}
