//! GIFs: a streaming decoder that lays the frames over each other.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod};

use crate::data::frame::{FrameRange, MAX_PIXELS};
use crate::data::media::MediaInfo;
use crate::data::{DataError, Frame};

/// Decodes the whole file for its frame count and duration.
pub(crate) fn inspect_gif(path: &Path) -> Result<MediaInfo, DataError> {
    let mut canvas = Canvas::open(path)?;
    let (mut frames, mut hundredths) = (0, 0);
    while canvas.advance()? {
        frames += 1;
        hundredths += u64::from(canvas.delay);
    }
    if frames == 0 {
        return Err(DataError::decode(path, "it holds no frame"));
    }
    let duration = (hundredths > 0).then_some(hundredths as f64 / 100.0);
    let fps = duration.map(|seconds| frames as f64 / seconds);
    Ok(MediaInfo { frames, width: canvas.width, height: canvas.height, fps, constant_rate: false, duration, codec: "gif".into() })
}

/// Some of the frames, in order.
pub(crate) fn gif_frames(path: &Path, range: FrameRange) -> Result<GifFrames, DataError> {
    Ok(GifFrames { canvas: Some(Canvas::open(path)?), skip: range.start, stride: range.stride, left: range.limit })
}

/// Frames of one GIF.
pub(crate) struct GifFrames {
    canvas: Option<Canvas>,
    skip: usize,
    stride: usize,
    left: Option<usize>,
}

impl Iterator for GifFrames {
    type Item = Result<Frame, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == Some(0) {
            return None;
        }
        let canvas = self.canvas.as_mut()?;
        for _ in 0..=self.skip {
            match canvas.advance() {
                Ok(true) => {}
                end => {
                    self.canvas = None;
                    return end.err().map(Err);
                }
            }
        }
        self.skip = self.stride - 1;
        self.left = self.left.map(|left| left - 1);
        Some(Ok(Frame::from_rgba_over_white(canvas.width, canvas.height, &canvas.shown)))
    }
}

struct Canvas {
    decoder: Decoder<BufReader<File>>,
    path: PathBuf,
    width: usize,
    height: usize,
    /// RGBA of the frame to show.
    shown: Vec<u8>,
    /// RGBA the next frame is drawn on, where that is not what is shown.
    base: Option<Vec<u8>>,
    delay: u16,
}

impl Canvas {
    fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|source| DataError::io(path, source))?;
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        let decoder = options.read_info(BufReader::new(file)).map_err(|error| DataError::decode(path, error.to_string()))?;
        let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
        if !(1..=MAX_PIXELS).contains(&(width * height)) {
            return Err(DataError::decode(path, format!("a GIF of {width}x{height} is not supported")));
        }
        let shown = vec![0; width * height * 4];
        Ok(Self { decoder, path: path.to_owned(), width, height, shown, base: None, delay: 0 })
    }

    /// Draws the next frame; false at the end.
    fn advance(&mut self) -> Result<bool, DataError> {
        let frame = self.decoder.read_next_frame().map_err(|error| DataError::decode(&self.path, error.to_string()))?;
        let Some(frame) = frame else { return Ok(false) };
        if let Some(base) = self.base.take() {
            self.shown = base;
        }
        self.delay = frame.delay;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
        let columns = frame_width.min(self.width.saturating_sub(left));
        let rows = frame_height.min(self.height.saturating_sub(top));
        let before = (frame.dispose == DisposalMethod::Previous).then(|| self.shown.clone());
        for row in 0..rows {
            let source = &frame.buffer[row * frame_width * 4..][..columns * 4];
            let target = &mut self.shown[((top + row) * self.width + left) * 4..][..columns * 4];
            for (to, from) in target.chunks_exact_mut(4).zip(source.chunks_exact(4)).filter(|(_, from)| from[3] > 0) {
                to.copy_from_slice(from);
            }
        }
        self.base = match frame.dispose {
            DisposalMethod::Previous => before,
            DisposalMethod::Background => {
                let mut cleared = self.shown.clone();
                for row in 0..rows {
                    cleared[((top + row) * self.width + left) * 4..][..columns * 4].fill(0);
                }
                Some(cleared)
            }
            _ => None,
        };
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, dispose: DisposalMethod) {
        let palette = [255, 0, 0, 0, 0, 255];
        let mut encoder = gif::Encoder::new(File::create(path).unwrap(), 2, 1, &palette).unwrap();
        for (left, colour) in [(0, 0), (1, 1)] {
            let mut frame = gif::Frame::from_indexed_pixels(1, 1, [colour], None);
            (frame.left, frame.delay, frame.dispose) = (left, 10, dispose);
            encoder.write_frame(&frame).unwrap();
        }
    }

    #[test]
    fn frames_are_laid_over_each_other() {
        let file = tempfile::NamedTempFile::with_suffix(".gif").unwrap();
        write(file.path(), DisposalMethod::Keep);
        let all = FrameRange { start: 0, stride: 1, limit: None };
        let frames: Vec<_> = gif_frames(file.path(), all).unwrap().map(|f| f.unwrap().pixels).collect();
        assert_eq!(frames, [[255, 0, 0, 255, 255, 255], [255, 0, 0, 0, 0, 255]]);
        let info = inspect_gif(file.path()).unwrap();
        assert_eq!((info.frames, info.fps), (2, Some(10.0)));
    }

    #[test]
    fn a_disposed_frame_leaves_white() {
        let file = tempfile::NamedTempFile::with_suffix(".gif").unwrap();
        write(file.path(), DisposalMethod::Background);
        let range = FrameRange { start: 1, stride: 1, limit: Some(5) };
        let frames: Vec<_> = gif_frames(file.path(), range).unwrap().map(|f| f.unwrap().pixels).collect();
        assert_eq!(frames, [[255, 255, 255, 0, 0, 255]]);
    }
}
