//! What can go wrong with data.

use std::path::{Path, PathBuf};

/// An error of a data set, a file or its settings. Every variant names the file or key, and says what to do if that is not plain.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A path does not exist.
    #[error("`{}` does not exist; name a video, a GIF, a folder, a CSV of `path,label`, or `procedural`", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A folder or CSV holds nothing to read.
    #[error("`{}` holds no video, GIF or folder of images", path.display())]
    NoClips {
        /// The folder or CSV.
        path: PathBuf,
    },
    /// A line of a CSV is wrong.
    #[error("`{}`, line {line}: {reason}", path.display())]
    Csv {
        /// The CSV.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is damaged or of a format nobody here reads.
    #[error("cannot decode `{}`: {reason}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// FFmpeg is needed and not installed.
    #[error(
        "`{}` needs the program `{program}`, which is not on the PATH; install FFmpeg (Debian or Ubuntu: \
         `apt install ffmpeg`, macOS: `brew install ffmpeg`, Windows: `winget install ffmpeg`); GIFs and folders of images \
         (0001.png, 0002.png, ...) work without it",
        path.display()
    )]
    FfmpegMissing {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// The file that needs it.
        path: PathBuf,
    },
    /// Not one clip of a split could be decoded.
    #[error("none of the {tried} clips of the {split} split could be decoded; the first problem: {first}")]
    NothingDecodes {
        /// The split.
        split: super::Split,
        /// How many clips were tried.
        tried: usize,
        /// The first problem, which names its file.
        first: String,
    },
    /// A split holds no clip.
    #[error("the {split} split of `{source_name}` is empty")]
    EmptySplit {
        /// The split.
        split: super::Split,
        /// The data set.
        source_name: String,
    },
    /// A setting has a value that cannot work.
    #[error("data setting `{key}`: {reason}")]
    Setting {
        /// The key.
        key: &'static str,
        /// Why not, and what would do.
        reason: String,
    },
    /// A worker thread could not start or ended early.
    #[error("a data worker failed: {reason}")]
    Worker {
        /// What happened.
        reason: String,
    },
}

impl DataError {
    /// An I/O error at `path`; a missing file gets its own words.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// A decoding error at `path`.
    pub(crate) fn decode(path: &Path, reason: impl Into<String>) -> Self {
        Self::Decode { path: path.to_owned(), reason: reason.into() }
    }

    /// The file that a run can go on without, and why; `None` for errors that end the run.
    pub fn skippable(&self) -> Option<(&Path, String)> {
        match self {
            Self::Io { path, source } => Some((path, source.to_string())),
            Self::NotFound { path } => Some((path, "the file does not exist".into())),
            Self::NoClips { path } => Some((path, "it holds no video, GIF or images".into())),
            Self::Decode { path, reason } => Some((path, reason.clone())),
            _ => None,
        }
    }
}
