//! Colours for amounts.

use crate::clip::{Clip, ClipShape};

/// From nothing to much; each step is brighter than the one before, so that it also reads without colour.
const RAMP: [[f32; 3]; 5] =
    [[0.0, 0.0, 4.0], [87.0, 16.0, 110.0], [188.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];

/// Brightness that is left of a picture below heat.
const DIMMED: f32 = 0.45;

/// The colour of an amount in [0, 1].
pub(super) fn color(amount: f32) -> [u8; 3] {
    let place = amount.clamp(0.0, 1.0) * (RAMP.len() - 1) as f32;
    let low = (place as usize).min(RAMP.len() - 2);
    let part = place - low as f32;
    std::array::from_fn(|channel| (RAMP[low][channel] * (1.0 - part) + RAMP[low + 1][channel] * part).round() as u8)
}

/// Amounts, one a pixel, as a clip.
pub(super) fn map(shape: ClipShape, amounts: &[f32]) -> Clip {
    Clip::new(shape, amounts.iter().flat_map(|&amount| color(amount)).collect())
}

/// Amounts over a clip, which is dimmed and without colour.
pub(super) fn overlay(clip: &Clip, amounts: &[f32]) -> Clip {
    let pixels = clip.pixels.as_chunks::<3>().0.iter().zip(amounts).flat_map(|(pixel, &amount)| {
        let [red, green, blue] = pixel.map(f32::from);
        let grey = (red * 0.299 + green * 0.587 + blue * 0.114) * DIMMED;
        let amount = amount.clamp(0.0, 1.0);
        color(amount).map(|heat| (grey * (1.0 - amount) + f32::from(heat) * amount).round() as u8)
    });
    Clip::new(clip.shape, pixels.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_brighter() {
        let sums: Vec<u32> = (0..=20).map(|step| color(step as f32 / 20.0).into_iter().map(u32::from).sum()).collect();
        assert!(sums.is_sorted(), "{sums:?}");
        assert_eq!([color(-1.0), color(2.0)], [[0, 0, 4], [252, 255, 164]]);
    }

    #[test]
    fn where_nothing_acts_the_dimmed_clip_is_seen() {
        let shape = ClipShape { frames: 1, height: 1, width: 2 };
        let over = overlay(&Clip::new(shape, vec![200; 6]), &[0.0, 1.0]);
        assert_eq!(over.pixels, [90, 90, 90, 252, 255, 164]);
    }
}
