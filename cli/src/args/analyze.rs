//! Arguments of `analyze`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use larp_runtime::analyze::Replacement;
use larp_runtime::data::Split;

use super::sampling::SamplingArgs;
use super::train::DeviceArgs;

/// Look into what a tokenizer learned: the analyses of the paper's appendix B
///
/// Each writes tables as CSV, pictures, and `analysis.json` with settings and all numbers. Without `-o` they go into the folder of the
/// first run, `analysis/NAME`, and its `report.html` shows them.
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// What to analyse
    #[command(subcommand)]
    pub command: AnalyzeCommand,
}

/// The subcommands of `analyze`.
#[derive(Debug, Subcommand)]
pub enum AnalyzeCommand {
    Repetition(RepetitionArgs),
    TokenInfluence(TokenInfluenceArgs),
    TokenHeatmap(TokenHeatmapArgs),
    Ngrams(NgramsArgs),
    ClassDominance(ClassDominanceArgs),
    Codebook(CodebookArgs),
}

/// PSNR of clips whose frames repeat, from all frames unique down to one (Figure 8)
///
/// A tokenizer that sees the clip as a whole gains by repetition; one that sees patches alone hardly does. Several runs are measured on
/// the same clips.
#[derive(Debug, Args)]
pub struct RepetitionArgs {
    /// Run folders
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    pub clips: ClipArgs,
    /// Number of clips
    #[arg(long = "clips", value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub count: usize,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// PSNR that is lost when one token is replaced at random, for every token of each clip (Figure 10)
#[derive(Debug, Args)]
pub struct TokenInfluenceArgs {
    /// Run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub clips: ClipArgs,
    /// Number of clips
    #[arg(long = "clips", value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    pub count: usize,
    /// Seed of the tokens that are put in
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Where and when one token acts: the difference that it makes, over the clips (Figure 11)
#[derive(Debug, Args)]
pub struct TokenHeatmapArgs {
    /// Run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Place of the token in the sequence, from 0; can be repeated [default: first, middle and last]
    #[arg(long, value_name = "I")]
    pub token: Vec<usize>,
    /// What is put in its place
    #[arg(long, value_enum, default_value_t = ReplacementArg::Zero)]
    pub replace_by: ReplacementArg,
    #[command(flatten)]
    pub clips: ClipArgs,
    /// Number of clips
    #[arg(long = "clips", value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    pub count: usize,
    /// Seed of the tokens that are put in
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How often the 2- and 3-grams of generated token sequences occur (Figures 12 to 14)
///
/// Two runs compared: one trained with the prior, one without. The counts are exact, and the memory is bounded whatever the number of
/// sequences: they are counted in passes over the file.
#[derive(Debug, Args)]
pub struct NgramsArgs {
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Tokens of the n-grams
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [2, 3], value_parser = at_least_one)]
    pub n: Vec<usize>,
    /// A second plot shows the n-grams that occur less often
    #[arg(long, value_name = "F", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(2..))]
    pub below: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How far frequent 2-grams of generated token sequences belong to one class (Figure 15, equations 9 and 10)
#[derive(Debug, Args)]
pub struct ClassDominanceArgs {
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Leave out 2-grams that occur less often (d in equation 10; the paper does not give its value)
    #[arg(long, value_name = "D", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub threshold: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which codes are used, how evenly, and how alike they are; also over training
#[derive(Debug, Args)]
pub struct CodebookArgs {
    /// Run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub clips: ClipArgs,
    /// Number of clips
    #[arg(long = "clips", value_name = "N", default_value_t = 256, value_parser = at_least_one)]
    pub count: usize,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which clips.
#[derive(Debug, Args)]
pub struct ClipArgs {
    /// `procedural`, a folder of class folders, a CSV of `path,label`, or a video [default: the data of the run]
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Part of the data
    #[arg(long, value_enum, default_value_t = SplitArg::Test)]
    pub split: SplitArg,
}

/// Which sequences.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Run folders to sample sequences from, or files of tokens
    #[arg(value_name = "RUN|FILE.safetensors", required = true)]
    pub sources: Vec<PathBuf>,
    /// Sequences to sample from each run, the classes in turn; they are kept beside the results
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_one)]
    pub count: usize,
    /// Strength of the classifier-free guidance; 1 is none [default: the pipeline's]
    #[arg(long, value_name = "SCALE")]
    pub cfg: Option<f64>,
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// Memory for counting in MiB; with less there are more passes
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub memory: u64,
}

/// Where to compute and write.
#[derive(Debug, Args)]
pub struct OutputArgs {
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Folder to write into [default: `analysis/NAME` in the first run]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Parts of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitArg {
    /// What was learned from
    Train,
    /// What training was watched with
    Validation,
    /// What was never used
    Test,
}

impl From<SplitArg> for Split {
    fn from(split: SplitArg) -> Self {
        match split {
            SplitArg::Train => Self::Train,
            SplitArg::Validation => Self::Validation,
            SplitArg::Test => Self::Test,
        }
    }
}

/// What is put in place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReplacementArg {
    /// Token 0, as in the paper
    Zero,
    /// Any token, drawn for each clip
    Random,
}

impl From<ReplacementArg> for Replacement {
    fn from(replacement: ReplacementArg) -> Self {
        match replacement {
            ReplacementArg::Zero => Self::Zero,
            ReplacementArg::Random => Self::Random,
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("it is not a whole number".into()),
    }
}
