//! Writing clips where people can see them: GIF, mp4 and PNG sheets.
//!
//! Compose clips first ([`side_by_side`], [`grid`], [`contact_sheet`]), then write the result
//! ([`write_gif`], [`write_mp4`], [`write_png`]). Every file appears under its name only when it is whole.

mod atomic;
mod clip;
mod error;
mod gif;
mod mp4;
mod palette;
mod png;
mod prediction;
mod sheet;

pub use atomic::{FileError, write_atomically};
pub use clip::{picture_scale, write_clip};
pub use error::MediaError;
pub use gif::{GifOptions, write_gif};
pub use mp4::{FFMPEG_HINT, Mp4Options, ffmpeg_available, write_mp4};
pub use png::write_png;
pub use prediction::prediction_sheet;
pub use sheet::{Gap, contact_sheet, grid, side_by_side, upscale};
