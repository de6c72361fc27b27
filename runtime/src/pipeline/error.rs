//! What can be wrong with a pipeline file.

use std::path::PathBuf;

use larp_traits::published::FileProblems;
use larp_traits::{RegistryError, SettingsError};

/// An error in a pipeline file or in what was set over it.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Neither a file nor a built-in pipeline.
    #[error("there is no pipeline `{name}`: no such file, and the built-in ones are {}", known.join(", "))]
    NotFound {
        /// What was asked for.
        name: String,
        /// The built-in names, nearest first.
        known: Vec<String>,
    },
    /// The file could not be read or written.
    #[error("cannot access `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error("{place} is not valid TOML:\n{message}")]
    Toml {
        /// The file.
        place: String,
        /// The parser's words, with line and column.
        message: String,
    },
    /// A key is unknown, missing or of the wrong type.
    #[error("{place}: {message}{}", nearest.as_ref().map(|key| format!("; did you mean `{key}`?")).unwrap_or_default())]
    Key {
        /// File and line.
        place: String,
        /// What is wrong, with the key.
        message: String,
        /// The known key that is most like it.
        nearest: Option<String>,
    },
    /// A part has an unknown name, or the program's plugins contradict each other.
    #[error("{place}: {source}")]
    Registry {
        /// File and line.
        place: String,
        /// Which, and what is known.
        source: RegistryError,
    },
    /// `--set` without a key or value.
    #[error("`--set {text}`: write `key=value`, such as `train.tokenizer.steps=100`")]
    Set {
        /// What was written.
        text: String,
    },
    /// Published files that the pipeline needs.
    #[error(
        "the pipeline `{name}` needs files that it cannot use:\n{source}\n  or go without its perceptual distance: `perceptual = \"none\"`"
    )]
    Files {
        /// Its name.
        name: String,
        /// Which, and how to get them.
        source: FileProblems,
    },
    /// Parts that do not fit, or values out of range.
    #[error("the pipeline `{name}` cannot work: {source}")]
    Settings {
        /// Its name.
        name: String,
        /// What does not fit.
        source: SettingsError,
    },
}
