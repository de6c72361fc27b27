//! What can be wrong with an ablation.

use std::path::PathBuf;

use crate::RuntimeError;
use crate::media::FileError;
use crate::pipeline::PipelineError;
use crate::report::ReportError;

/// An ablation that cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum AblateError {
    /// Neither a file nor a built-in ablation.
    #[error("there is no ablation `{name}`: no such file, and the built-in ones are {}", known.join(", "))]
    NotFound {
        /// What was asked for.
        name: String,
        /// The built-in names, nearest first.
        known: Vec<String>,
    },
    /// The file is not TOML, or has an unknown key.
    #[error("`{place}` is no ablation file:\n{message}")]
    File {
        /// The file.
        place: String,
        /// The parser's words, with line and column.
        message: String,
    },
    /// A value of the file cannot work.
    #[error("ablation `{name}`: {message}")]
    Settings {
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A variant's pipeline cannot work.
    #[error("variant `{variant}`: {source}")]
    Variant {
        /// Its name.
        variant: String,
        /// Why.
        source: Box<PipelineError>,
    },
    /// The folder cannot be used so.
    #[error("ablation folder `{}`: {message}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Everything that runs meet too.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

impl From<FileError> for AblateError {
    fn from(error: FileError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<ReportError> for AblateError {
    fn from(error: ReportError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<PipelineError> for AblateError {
    fn from(error: PipelineError) -> Self {
        Self::Runtime(error.into())
    }
}
