//! Compositions of clips: side by side, grids, contact sheets and upscaling.

use super::error::MediaError;
use crate::clip::{Clip, ClipShape};

/// The space between the parts of a composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Its width in pixels.
    pub pixels: usize,
    /// Its RGB colour, also that of cells without a clip.
    pub color: [u8; 3],
}

impl Default for Gap {
    /// One grey pixel, which shows on bright and on dark pictures.
    fn default() -> Self {
        Self { pixels: 1, color: [128; 3] }
    }
}

/// One clip that shows `clips` from left to right, such as original and reconstruction.
///
/// # Errors
/// When there are no clips or their shapes differ.
pub fn side_by_side(clips: &[Clip], gap: Gap) -> Result<Clip, MediaError> {
    grid(clips, clips.len(), gap)
}

/// One clip that shows `clips` row by row; cells left over in the last row have the colour of the gap.
///
/// # Errors
/// When there are no clips or their shapes differ.
pub fn grid(clips: &[Clip], columns: usize, gap: Gap) -> Result<Clip, MediaError> {
    let shape = common_shape(clips)?;
    let columns = columns.clamp(1, clips.len());
    let rows = clips.len().div_ceil(columns);
    let mut canvas = Canvas::new(shape, shape.frames, [rows, columns], gap);
    for (index, clip) in clips.iter().enumerate() {
        for frame in 0..shape.frames {
            canvas.paste(frame, [index / columns, index % columns], clip.frame(frame));
        }
    }
    Ok(canvas.clip)
}

/// A still picture (a clip of one frame): a row for each clip, a column for each frame.
///
/// # Errors
/// When there are no clips or their shapes differ.
pub fn contact_sheet(clips: &[Clip], gap: Gap) -> Result<Clip, MediaError> {
    let shape = common_shape(clips)?;
    let mut canvas = Canvas::new(shape, 1, [clips.len(), shape.frames], gap);
    for (row, clip) in clips.iter().enumerate() {
        for frame in 0..shape.frames {
            canvas.paste(0, [row, frame], clip.frame(frame));
        }
    }
    Ok(canvas.clip)
}

/// Two clips of the same height and number of frames from left to right; their widths may differ.
///
/// # Errors
/// When heights or frames differ, or a clip has no frame.
pub(super) fn beside(left: &Clip, right: &Clip, gap: Gap) -> Result<Clip, MediaError> {
    let (expected, found) = (left.shape, right.shape);
    if (expected.frames, expected.height) != (found.frames, found.height) {
        return Err(MediaError::ShapeMismatch { expected, found });
    }
    let shape = ClipShape { width: expected.width + gap.pixels + found.width, ..expected };
    let line = |clip: &Clip| (clip.shape.width * 3).max(1);
    let between = gap.color.repeat(gap.pixels);
    let mut pixels = Vec::with_capacity(shape.bytes());
    for (a, b) in left.pixels.chunks_exact(line(left)).zip(right.pixels.chunks_exact(line(right))) {
        [a, &between, b].into_iter().for_each(|part| pixels.extend_from_slice(part));
    }
    match pixels.len() == shape.bytes() {
        true => Ok(Clip::new(shape, pixels)),
        false => Err(MediaError::NoClips),
    }
}

/// Repeats every pixel `scale` times in both directions; a scale of 0 counts as 1.
pub fn upscale(clip: &Clip, scale: usize) -> Clip {
    let scale = scale.max(1);
    let ClipShape { frames, height, width } = clip.shape;
    let shape = ClipShape { frames, height: height * scale, width: width * scale };
    let mut pixels = Vec::with_capacity(shape.bytes());
    for line in clip.pixels.chunks_exact((width * 3).max(1)) {
        let wide: Vec<u8> =
            line.as_chunks::<3>().0.iter().flat_map(|pixel| std::iter::repeat_n(*pixel, scale)).flatten().collect();
        (0..scale).for_each(|_| pixels.extend_from_slice(&wide));
    }
    Clip::new(shape, pixels)
}

fn common_shape(clips: &[Clip]) -> Result<ClipShape, MediaError> {
    let expected = clips.first().ok_or(MediaError::NoClips)?.shape;
    match clips.iter().find(|clip| clip.shape != expected) {
        Some(clip) => Err(MediaError::ShapeMismatch { expected, found: clip.shape }),
        None => Ok(expected),
    }
}

/// A clip being filled cell by cell.
struct Canvas {
    cell: ClipShape,
    gap: usize,
    clip: Clip,
}

impl Canvas {
    fn new(cell: ClipShape, frames: usize, [rows, columns]: [usize; 2], gap: Gap) -> Self {
        let length = |cells: usize, size: usize| cells * size + cells.saturating_sub(1) * gap.pixels;
        let shape = ClipShape { frames, height: length(rows, cell.height), width: length(columns, cell.width) };
        let clip = Clip::new(shape, gap.color.repeat(shape.bytes() / 3));
        Self { cell, gap: gap.pixels, clip }
    }

    fn paste(&mut self, frame: usize, [row, column]: [usize; 2], picture: &[u8]) {
        let ClipShape { height, width, .. } = self.clip.shape;
        let top = row * (self.cell.height + self.gap);
        let left = column * (self.cell.width + self.gap);
        for (y, line) in picture.chunks_exact((self.cell.width * 3).max(1)).enumerate() {
            let start = ((frame * height + top + y) * width + left) * 3;
            self.clip.pixels[start..start + line.len()].copy_from_slice(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(frames: usize, height: usize, width: usize, value: u8) -> Clip {
        let shape = ClipShape { frames, height, width };
        Clip::new(shape, vec![value; shape.bytes()])
    }

    fn reds(clip: &Clip) -> Vec<u8> {
        clip.pixels.as_chunks::<3>().0.iter().map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn side_by_side_puts_a_separator_between_clips() {
        let joined = side_by_side(&[flat(2, 1, 2, 10), flat(2, 1, 2, 20)], Gap::default()).unwrap();
        assert_eq!(joined.shape, ClipShape { frames: 2, height: 1, width: 5 });
        assert_eq!(reds(&joined), [10, 10, 128, 20, 20, 10, 10, 128, 20, 20]);
    }

    #[test]
    fn grid_fills_the_last_row_with_the_gap_colour() {
        let clips = [flat(1, 1, 1, 1), flat(1, 1, 1, 2), flat(1, 1, 1, 3)];
        let joined = grid(&clips, 2, Gap { pixels: 0, color: [9; 3] }).unwrap();
        assert_eq!(joined.shape, ClipShape { frames: 1, height: 2, width: 2 });
        assert_eq!(reds(&joined), [1, 2, 3, 9]);
    }

    #[test]
    fn contact_sheet_has_a_row_for_each_clip_and_a_column_for_each_frame() {
        let mut moving = flat(2, 1, 1, 1);
        moving.pixels[3..].fill(2);
        let sheet = contact_sheet(&[moving, flat(2, 1, 1, 5)], Gap { pixels: 1, color: [0; 3] }).unwrap();
        assert_eq!(sheet.shape, ClipShape { frames: 1, height: 3, width: 3 });
        assert_eq!(reds(&sheet), [1, 0, 2, 0, 0, 0, 5, 0, 5]);
    }

    #[test]
    fn upscale_repeats_pixels_in_both_directions() {
        let mut clip = flat(1, 1, 2, 1);
        clip.pixels[3..].fill(2);
        let large = upscale(&clip, 2);
        assert_eq!(large.shape, ClipShape { frames: 1, height: 2, width: 4 });
        assert_eq!(reds(&large), [1, 1, 2, 2, 1, 1, 2, 2]);
    }

    #[test]
    fn unequal_and_missing_clips_are_errors() {
        let error = side_by_side(&[flat(1, 1, 1, 0), flat(2, 1, 1, 0)], Gap::default()).unwrap_err();
        assert!(matches!(error, MediaError::ShapeMismatch { found: ClipShape { frames: 2, .. }, .. }));
        assert!(matches!(contact_sheet(&[], Gap::default()), Err(MediaError::NoClips)));
    }
}
