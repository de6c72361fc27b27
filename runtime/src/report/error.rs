//! What can go wrong with the files of a run.

use std::path::PathBuf;

use crate::media::FileError;

/// A report file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A JSON file has another content than expected.
    #[error("`{}` is not valid", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A line of a JSON-lines file has another content than expected.
    #[error("line {line} of `{}` is not valid", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// The run folder is not there.
    #[error("`{}` is not a run folder", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// The page could not be put together.
    #[error("could not render the report `{}`", path.display())]
    Template {
        /// The page being written.
        path: PathBuf,
        /// The template engine's error.
        #[source]
        source: minijinja::Error,
    },
}
