//! One frame as it comes out of a decoder.

use super::DataError;

/// No frame may be larger (an 8K frame is 33 million pixels): a damaged header must not fill memory.
pub(crate) const MAX_PIXELS: usize = 100_000_000;

/// An RGB frame at the size of its source, `[height, width, 3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height * width * 3` values, row-major.
    pub pixels: Vec<u8>,
}

impl Frame {
    /// Lays RGBA pixels over white, as FFmpeg does with a transparent GIF.
    pub(crate) fn from_rgba_over_white(width: usize, height: usize, rgba: &[u8]) -> Self {
        let mut pixels = Vec::with_capacity(width * height * 3);
        for pixel in rgba.chunks_exact(4) {
            let alpha = u32::from(pixel[3]);
            pixels.extend(pixel[..3].iter().map(|c| ((u32::from(*c) * alpha + 255 * (255 - alpha) + 127) / 255) as u8));
        }
        Self { width, height, pixels }
    }
}

/// Frames of one file, in order; ends at the first error.
pub(crate) type FrameStream = Box<dyn Iterator<Item = Result<Frame, DataError>> + Send>;

/// Which frames of a file: `start`, `start + stride`, ..., at most `limit` of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameRange {
    /// First frame.
    pub start: usize,
    /// Distance of neighbours, at least 1.
    pub stride: usize,
    /// At most so many; `None`: to the end.
    pub limit: Option<usize>,
}
