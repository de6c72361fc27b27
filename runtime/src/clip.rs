//! One decoded video clip on the host.

use std::ops::Range;

/// Frames, height and width of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipShape {
    /// Number of frames.
    pub frames: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl ClipShape {
    /// Number of bytes of an RGB clip of this shape.
    pub fn bytes(&self) -> usize {
        self.frames * self.height * self.width * 3
    }
}

/// An RGB clip, 8 bits a channel, laid out `[frames, height, width, 3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Its shape.
    pub shape: ClipShape,
    /// `shape.bytes()` values, row-major.
    pub pixels: Vec<u8>,
}

impl Clip {
    /// Wraps pixels.
    ///
    /// # Panics
    /// When `pixels` does not hold exactly `shape.bytes()` values.
    pub fn new(shape: ClipShape, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), shape.bytes(), "a clip of {shape:?} needs {} bytes", shape.bytes());
        Self { shape, pixels }
    }

    /// The bytes of one frame, `[height, width, 3]`.
    pub fn frame(&self, index: usize) -> &[u8] {
        let size = self.frame_bytes();
        &self.pixels[index * size..(index + 1) * size]
    }

    /// A clip of some of the frames.
    ///
    /// # Panics
    /// When the range goes past the end.
    pub fn frames(&self, range: Range<usize>) -> Self {
        let (shape, size) = (ClipShape { frames: range.len(), ..self.shape }, self.frame_bytes());
        Self::new(shape, self.pixels[range.start * size..range.end * size].to_vec())
    }

    /// Number of bytes of one frame.
    pub fn frame_bytes(&self) -> usize {
        self.shape.height * self.shape.width * 3
    }
}
