//! Arguments of `import` and `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use larp_runtime::report::Stage;

/// Make a run folder of a tokenizer, a generator or both that the authors' released code trained
///
/// A source is a folder with `config.json` and `model.safetensors`, the id of such a model on the Hugging Face hub, a `.pth` of a training
/// run, or weights alone together with `--pipeline`. What a source is, its settings tell. Every tensor must fit; nothing of a file is
/// run as code. The folder is used like any run; `train --resume` on it fine-tunes.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Folder, file or `owner/name` on the hub; two for a tokenizer and its generator
    #[arg(value_name = "SOURCE", required = true, num_args = 1..=2)]
    pub sources: Vec<String>,
    /// Run folder to make; a generator alone goes into one that holds its tokenizer
    #[arg(short, long, value_name = "RUN")]
    pub output: PathBuf,
    /// The pipeline of weights that come without settings: a file, or a built-in one
    #[arg(long, value_name = "PIPELINE")]
    pub pipeline: Option<String>,
    /// Take the average of the parameters over training, which a `.pth` may hold; with several, by its decay
    #[arg(long, value_name = "DECAY", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    pub ema: Option<String>,
    /// File with the names of the generator's classes, one a line, in the order of their numbers
    #[arg(long, value_name = "FILE")]
    pub classes: Option<PathBuf>,
}

/// Write a trained tokenizer or generator as the authors' released code saves it
///
/// The folder gets `config.json` and `model.safetensors`. A pipeline that the released code has no equivalent for is refused.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Run folder that `train`, `demo` or `import` made
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// Folder to write into
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Which model
    #[arg(long, value_enum, default_value_t = ModelArg::Tokenizer)]
    pub stage: ModelArg,
}

/// One of the two models of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelArg {
    /// Encoder, quantizer, decoder and prior
    Tokenizer,
    /// The model of tokens
    Generator,
}

impl From<ModelArg> for Stage {
    fn from(model: ModelArg) -> Self {
        match model {
            ModelArg::Tokenizer => Self::Tokenizer,
            ModelArg::Generator => Self::Generator,
        }
    }
}
