//! What can go wrong when clips are written.

use std::path::PathBuf;

use super::atomic::FileError;
use super::mp4::FFMPEG_HINT;
use crate::clip::ClipShape;

/// A clip could not be composed or written.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// There was nothing to compose.
    #[error("a composition needs at least one clip")]
    NoClips,
    /// Clips composed into one must have one shape.
    #[error("clips in one composition need one shape, found {found:?} beside {expected:?}")]
    ShapeMismatch {
        /// The shape of the first clip.
        expected: ClipShape,
        /// The shape that differs.
        found: ClipShape,
    },
    /// A clip without frames or pixels, or larger than the format can hold.
    #[error("cannot write a clip of shape {shape:?} at scale {scale} to `{}`", path.display())]
    UnsupportedSize {
        /// The file that was to be written.
        path: PathBuf,
        /// The clip's shape.
        shape: ClipShape,
        /// The upscale asked for.
        scale: usize,
    },
    /// A frame rate that is not a positive number.
    #[error("cannot write `{}` with {frames_per_second} frames per second", path.display())]
    FrameRate {
        /// The file that was to be written.
        path: PathBuf,
        /// The rate asked for.
        frames_per_second: f64,
    },
    /// The GIF encoder failed.
    #[error("could not encode the GIF `{}`", path.display())]
    Gif {
        /// The file being written.
        path: PathBuf,
        /// The encoder's error.
        #[source]
        source: gif::EncodingError,
    },
    /// The PNG encoder failed.
    #[error("could not encode the PNG `{}`", path.display())]
    Png {
        /// The file being written.
        path: PathBuf,
        /// The encoder's error.
        #[source]
        source: image::ImageError,
    },
    /// The program `ffmpeg` could not be started.
    #[error("could not start `ffmpeg` to write `{}`; {FFMPEG_HINT}", path.display())]
    FfmpegMissing {
        /// The file being written.
        path: PathBuf,
        /// Why it did not start.
        #[source]
        source: std::io::Error,
    },
    /// The program `ffmpeg` ran and failed.
    #[error("`ffmpeg` could not write `{}` ({status}): {stderr}", path.display())]
    FfmpegFailed {
        /// The file being written.
        path: PathBuf,
        /// How it exited.
        status: std::process::ExitStatus,
        /// What it said.
        stderr: String,
    },
}
