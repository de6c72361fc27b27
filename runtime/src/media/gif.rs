//! Clips as animated GIFs.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use gif::{Encoder, Frame, Repeat};

use super::atomic::{FileError, write_atomically};
use super::error::MediaError;
use super::palette::{Indexed, quantize};
use crate::clip::{Clip, ClipShape};

/// How a GIF is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GifOptions {
    /// Frames shown each second; GIF counts in hundredths of a second, and browsers slow down above 50.
    pub frames_per_second: f64,
    /// Every pixel becomes a square of this many pixels a side.
    pub scale: usize,
}

impl Default for GifOptions {
    fn default() -> Self {
        Self { frames_per_second: 8.0, scale: 1 }
    }
}

/// Writes `clip` as a GIF that loops for ever, with a palette of its own for each frame.
///
/// # Errors
/// When the clip is empty or larger than a GIF can be, or the file cannot be written.
pub fn write_gif(path: &Path, clip: &Clip, options: GifOptions) -> Result<(), MediaError> {
    let scale = options.scale.max(1);
    let size = gif_size(clip.shape, scale).ok_or_else(|| MediaError::UnsupportedSize {
        path: path.to_owned(),
        shape: clip.shape,
        scale,
    })?;
    let fps = options.frames_per_second;
    if !(fps.is_finite() && fps > 0.0) {
        return Err(MediaError::FrameRate { path: path.to_owned(), frames_per_second: fps });
    }
    write_atomically(path, |tmp| {
        let file = File::create(tmp).map_err(FileError::at("create", tmp))?;
        let mut out = BufWriter::new(file);
        encode(&mut out, clip, size, scale, fps).map_err(|source| MediaError::Gif { path: path.to_owned(), source })?;
        Ok(out.flush().map_err(FileError::at("write", tmp))?)
    })
}

/// Width and height of the GIF, where its format can hold them.
fn gif_size(shape: ClipShape, scale: usize) -> Option<(u16, u16)> {
    let fits = |length: usize| length.checked_mul(scale).and_then(|length| u16::try_from(length).ok());
    let size = (fits(shape.width)?, fits(shape.height)?);
    (shape.bytes() > 0).then_some(size)
}

fn encode(
    out: &mut impl Write,
    clip: &Clip,
    (width, height): (u16, u16),
    scale: usize,
    fps: f64,
) -> Result<(), gif::EncodingError> {
    let mut encoder = Encoder::new(out, width, height, &[])?;
    encoder.set_repeat(Repeat::Infinite)?;
    for index in 0..clip.shape.frames {
        // the palette is chosen at the original size and the indices enlarged: exact, and scale² cheaper
        let Indexed { palette, indices } = quantize(clip.frame(index));
        let large = enlarge(&indices, clip.shape.width, scale);
        let mut frame = Frame::from_palette_pixels(width, height, large, palette, None);
        frame.delay = delay(index, fps);
        encoder.write_frame(&frame)?;
    }
    Ok(())
}

fn enlarge(indices: &[u8], width: usize, scale: usize) -> Vec<u8> {
    let mut large = Vec::with_capacity(indices.len() * scale * scale);
    for line in indices.chunks_exact(width) {
        let wide: Vec<u8> = line.iter().flat_map(|index| std::iter::repeat_n(*index, scale)).collect();
        (0..scale).for_each(|_| large.extend_from_slice(&wide));
    }
    large
}

/// Hundredths of a second, rounded so that the errors of the frames cancel; below 2, browsers fall back to 10.
fn delay(index: usize, fps: f64) -> u16 {
    let end = |frames: usize| (frames as f64 * 100.0 / fps).round();
    (end(index + 1) - end(index)).clamp(2.0, f64::from(u16::MAX)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(shape: ClipShape) -> Clip {
        let mut pixels = Vec::with_capacity(shape.bytes());
        for frame in 0..shape.frames {
            for y in 0..shape.height {
                for x in 0..shape.width {
                    let blend = |value: usize, size: usize| (value * 255 / size.max(1)) as u8;
                    pixels.extend([blend(x, shape.width), blend(y, shape.height), blend(frame, shape.frames)]);
                }
            }
        }
        Clip::new(shape, pixels)
    }

    fn decode(path: &Path) -> Vec<(u16, Vec<u8>)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let rgb = frame.buffer.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
            frames.push((frame.delay, rgb));
        }
        frames
    }

    #[test]
    fn a_gradient_survives_with_good_quality() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.gif");
        let clip = gradient(ClipShape { frames: 3, height: 32, width: 32 });
        write_gif(&path, &clip, GifOptions::default()).unwrap();
        let frames = decode(&path);
        assert_eq!(frames.len(), 3);
        for (index, (_, rgb)) in frames.iter().enumerate() {
            let squares = rgb.iter().zip(clip.frame(index)).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
            let psnr = 10.0 * (255.0_f64.powi(2) / (squares.sum::<f64>() / rgb.len() as f64)).log10();
            assert!(psnr > 34.0, "frame {index} has {psnr} dB");
        }
    }

    #[test]
    fn upscaled_pixels_are_squares_of_one_colour() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.gif");
        let clip = Clip::new(ClipShape { frames: 1, height: 1, width: 2 }, vec![255, 0, 0, 0, 0, 255]);
        write_gif(&path, &clip, GifOptions { scale: 2, ..GifOptions::default() }).unwrap();
        let line = [255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255];
        assert_eq!(decode(&path)[0].1, [line, line].concat());
    }

    #[test]
    fn delays_add_up_to_the_frame_rate() {
        assert_eq!((0..8).map(|index| delay(index, 8.0)).sum::<u16>(), 100);
        assert_eq!(delay(0, 1000.0), 2);
    }

    #[test]
    fn clips_that_no_gif_can_hold_are_errors() {
        let clip = gradient(ClipShape { frames: 1, height: 1, width: 2 });
        let huge = write_gif(Path::new("never.gif"), &clip, GifOptions { scale: 40_000, ..GifOptions::default() });
        assert!(matches!(huge, Err(MediaError::UnsupportedSize { .. })));
        let still = GifOptions { frames_per_second: 0.0, scale: 1 };
        assert!(matches!(write_gif(Path::new("never.gif"), &clip, still), Err(MediaError::FrameRate { .. })));
    }
}
