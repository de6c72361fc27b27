//! A clip as a person gets it: a GIF, and an mp4 beside it.

use std::path::{Path, PathBuf};

use super::error::MediaError;
use super::gif::{GifOptions, write_gif};
use super::mp4::{Mp4Options, write_mp4};
use crate::clip::Clip;

/// Small clips are enlarged until they are about this wide.
const WIDTH: usize = 128;

/// The whole factor by which clips of this width are enlarged in pictures.
pub fn picture_scale(width: usize) -> usize {
    (WIDTH / width.max(1)).max(1)
}

/// Writes a GIF and, on request, an mp4 of the same name, enlarged `scale` times; gives the files.
///
/// # Errors
/// When a file cannot be written, or an mp4 is wanted without FFmpeg.
pub fn write_clip(gif: &Path, clip: &Clip, scale: usize, with_mp4: bool) -> Result<Vec<PathBuf>, MediaError> {
    write_gif(gif, clip, GifOptions { scale, ..GifOptions::default() })?;
    let mut files = vec![gif.to_owned()];
    if with_mp4 {
        let mp4 = gif.with_extension("mp4");
        // a clip is over in a second and players stop at its end
        write_mp4(&mp4, clip, Mp4Options { scale, plays: 4, ..Mp4Options::default() })?;
        files.push(mp4);
    }
    Ok(files)
}
