//! Stills of a predicted clip below the real one, with the border between given and predicted frames marked (as in figure 6 of the
//! paper).

use super::error::MediaError;
use super::sheet::{Gap, beside, contact_sheet};
use crate::clip::Clip;

/// The border: wide and bright enough to stand out from the gaps between frames.
const BORDER: Gap = Gap { pixels: 3, color: [255, 128, 0] };

/// A still picture with a row for each clip and a column for each frame; a mark goes between the first `given` columns and the rest.
/// Frames of the first clip from `real` on, which are none of its own, are left grey.
///
/// # Errors
/// When the clips' shapes differ, or there is no frame on one side of the border.
pub fn prediction_sheet(original: &Clip, others: &[Clip], given: usize, real: usize) -> Result<Clip, MediaError> {
    let mut original = original.clone();
    let known = original.frame_bytes() * real.min(original.shape.frames);
    original.pixels[known..].fill(Gap::default().color[0]);
    let rows: Vec<Clip> = std::iter::once(original).chain(others.iter().cloned()).collect();
    let part = |from: usize, to: usize| -> Result<Clip, MediaError> {
        let parts: Vec<Clip> = rows.iter().map(|clip| clip.frames(from.min(to)..to)).collect();
        contact_sheet(&parts, Gap::default())
    };
    let frames = rows[0].shape.frames;
    beside(&part(0, given.min(frames))?, &part(given, frames)?, BORDER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::ClipShape;

    #[test]
    fn the_border_stands_between_the_last_given_and_the_first_predicted_frame() {
        let shape = ClipShape { frames: 3, height: 1, width: 1 };
        let clip = |values: [u8; 3]| Clip::new(shape, values.into_iter().flat_map(|value| [value; 3]).collect());
        let sheet = prediction_sheet(&clip([1, 2, 3]), &[clip([4, 5, 6])], 1, 2).unwrap();
        // frame, border of 3, frame, gap, frame
        assert_eq!(sheet.shape, ClipShape { frames: 1, height: 3, width: 7 });
        let row = |y: usize| sheet.pixels[y * 21..(y + 1) * 21].chunks(3).map(|pixel| pixel[2]).collect::<Vec<u8>>();
        assert_eq!(row(0), [1, 0, 0, 0, 2, 128, 128]);
        assert_eq!(row(2), [4, 0, 0, 0, 5, 128, 6]);
        assert_eq!(sheet.pixels[3..6], [255, 128, 0]);
    }
}
