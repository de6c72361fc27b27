//! What can stop a run.

use std::path::{Path, PathBuf};

use larp_traits::StateError;

use crate::data::DataError;
use crate::device::DeviceError;
use crate::foreign::ImportError;
use crate::media::{FileError, MediaError};
use crate::pipeline::PipelineError;
use crate::report::{ReportError, Stage};

/// Any error of the runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A pipeline file.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A picture or video to write.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// Metrics and the report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file of parameters.
    #[error(transparent)]
    State(#[from] StateError),
    /// A checkpoint of another program.
    #[error(transparent)]
    Foreign(#[from] ImportError),
    /// A file could not be accessed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file does not hold what it should.
    #[error("`{}`: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The run folder cannot be used so.
    #[error("run folder `{}`: {message}", path.display())]
    Run {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The settings of a resumed run are not those it was started with.
    #[error("run folder `{}` was started with other settings: {}; resume with the same ones, start a new run, or go on with `--allow-changes`", path.display(), changes.join(", "))]
    Changed {
        /// The folder.
        path: PathBuf,
        /// `key: old -> new` each.
        changes: Vec<String>,
    },
    /// Loss or gradient were no number for too many steps in a row.
    #[error(
        "{stage}, step {step}: loss or gradient was NaN or infinite in {skipped} steps in a row (`train.max_skipped_in_a_row`); \
         {}; lower the learning rate or set `clip_norm`, and go on with `--resume --allow-changes`",
        match checkpoint { Some(path) => format!("the last good checkpoint is `{}`", path.display()), None => "there is no checkpoint yet".into() }
    )]
    Diverged {
        /// The stage.
        stage: Stage,
        /// Steps done, with those skipped.
        step: usize,
        /// How many.
        skipped: usize,
        /// Where to go on from.
        checkpoint: Option<PathBuf>,
    },
    /// A request that the pipeline cannot fulfil.
    #[error("{0}")]
    Request(String),
}

impl RuntimeError {
    /// For `map_err` on what the system says of a file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let error = FileError::at(action, path);
        move |source| Self::File(error(source))
    }

    pub(crate) fn content(path: &Path, message: impl ToString) -> Self {
        Self::Content { path: path.to_owned(), message: message.to_string() }
    }
}
