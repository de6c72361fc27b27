//! Still pictures as PNG.

use std::path::Path;

use image::{ExtendedColorType, ImageFormat};

use super::atomic::{FileError, write_atomically};
use super::error::MediaError;
use super::sheet::upscale;
use crate::clip::{Clip, ClipShape};

/// Writes the first frame of `clip`, such as a [`contact_sheet`](super::contact_sheet), enlarged `scale` times.
///
/// # Errors
/// When the clip has no frame or no pixels, or the file cannot be written.
pub fn write_png(path: &Path, clip: &Clip, scale: usize) -> Result<(), MediaError> {
    let unsupported = || MediaError::UnsupportedSize { path: path.to_owned(), shape: clip.shape, scale };
    if clip.pixels.is_empty() {
        return Err(unsupported());
    }
    let still = Clip::new(ClipShape { frames: 1, ..clip.shape }, clip.frame(0).to_vec());
    let large = upscale(&still, scale);
    let width = u32::try_from(large.shape.width).map_err(|_| unsupported())?;
    let height = u32::try_from(large.shape.height).map_err(|_| unsupported())?;
    write_atomically(path, |tmp| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::write_buffer_with_format(&mut bytes, &large.pixels, width, height, ExtendedColorType::Rgb8, ImageFormat::Png)
            .map_err(|source| MediaError::Png { path: path.to_owned(), source })?;
        Ok(std::fs::write(tmp, bytes.into_inner()).map_err(FileError::at("write", tmp))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_reads_back_enlarged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        let clip = Clip::new(ClipShape { frames: 1, height: 1, width: 2 }, vec![1, 2, 3, 4, 5, 6]);
        write_png(&path, &clip, 2).unwrap();
        let read = image::open(&path).unwrap().into_rgb8();
        assert_eq!(read.dimensions(), (4, 2));
        assert_eq!(read.get_pixel(3, 1).0, [4, 5, 6]);
    }

    #[test]
    fn a_clip_without_frames_is_an_error() {
        let empty = Clip::new(ClipShape { frames: 0, height: 2, width: 2 }, Vec::new());
        let error = write_png(Path::new("never.png"), &empty, 1).unwrap_err();
        assert!(matches!(error, MediaError::UnsupportedSize { .. }));
    }
}
