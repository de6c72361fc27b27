//! Frames to clip size: as PIL's `Image.resize(.., BILINEAR)`, then a centre crop.

use super::Frame;

/// Fraction bits of Pillow's 8-bit weights: 32 less 8 for the value and 2 for overshoot (`Resample.c`).
const PRECISION: u32 = 22;

/// Scales `frame` with an antialiased bilinear filter so that both sides cover `height` x `width` (the tighter side fits
/// exactly, the other is rounded down), and cuts out the centre. Values are Pillow's bit for bit: rows first, rounded to
/// 8 bits, then columns, in fixed point.
///
/// # Shapes
/// Returns `[height, width, 3]`.
///
/// # Panics
/// When the frame is empty or its pixels do not fit its size.
pub fn resize_and_crop(frame: &Frame, height: usize, width: usize) -> Vec<u8> {
    assert_eq!(frame.pixels.len(), frame.height * frame.width * 3, "a frame's pixels fit its size");
    let (new_height, new_width) = covering_size(frame.height, frame.width, height, width);
    // only what the crop keeps is computed
    let columns = weights(frame.width, new_width, offset(new_width - width), width);
    let rows = weights(frame.height, new_height, offset(new_height - height), height);
    let (top, bottom) = rows
        .iter()
        .fold((frame.height, 0), |(top, bottom), taps| (top.min(taps.first), bottom.max(taps.first + taps.weights.len())));
    let mut across = Vec::with_capacity((bottom - top) * width * 3);
    for row in frame.pixels.chunks_exact(frame.width * 3).take(bottom).skip(top) {
        for taps in &columns {
            let mut sums = [HALF; 3];
            for (pixel, weight) in row[taps.first * 3..].chunks_exact(3).zip(&taps.weights) {
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += i32::from(*value) * weight);
            }
            across.extend(sums.map(to_byte));
        }
    }
    let mut out = Vec::with_capacity(height * width * 3);
    let mut sums = vec![HALF; width * 3];
    for taps in &rows {
        sums.fill(HALF);
        for (row, weight) in across.chunks_exact(width * 3).skip(taps.first - top).zip(&taps.weights) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += i32::from(*value) * weight);
        }
        out.extend(sums.iter().copied().map(to_byte));
    }
    out
}

const HALF: i32 = 1 << (PRECISION - 1);

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// What one output value is made of.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Weights of the outputs `begin..begin + count` of a side scaled from `from` to `to` (`precompute_coeffs` of Pillow with its
/// triangle filter; a side that keeps its length is copied, as there).
fn weights(from: usize, to: usize, begin: usize, count: usize) -> Vec<Taps> {
    if from == to {
        return (begin..begin + count).map(|first| Taps { first, weights: vec![1 << PRECISION] }).collect();
    }
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let taps = |output: usize| {
        let centre = (output as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let last = ((centre + support + 0.5) as usize).min(from);
        let inverse = 1.0 / support;
        let at = |x: usize| (1.0 - ((x as f64 - centre + 0.5) * inverse).abs()).max(0.0);
        let raw: Vec<f64> = (first..last).map(at).collect();
        let total: f64 = raw.iter().sum();
        let norm = if total == 0.0 { 1.0 } else { 1.0 / total };
        let fixed = |w: &f64| (0.5 + w * norm * f64::from(1 << PRECISION)) as i32;
        Taps { first, weights: raw.iter().map(fixed).collect() }
    };
    (begin..begin + count).map(taps).collect()
}

/// The size that keeps the aspect and covers the target, as torchvision's `Resize(int)` computes the longer side.
fn covering_size(height: usize, width: usize, to_height: usize, to_width: usize) -> (usize, usize) {
    if to_height * width >= to_width * height {
        (to_height, (width * to_height / height).max(to_width))
    } else {
        ((height * to_width / width).max(to_height), to_width)
    }
}

/// Half of the surplus; halves go to the even neighbour, as Python's `round` in torchvision's `center_crop`.
fn offset(surplus: usize) -> usize {
    let half = surplus / 2;
    if surplus % 2 == 1 && half % 2 == 1 { half + 1 } else { half }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(height: usize, width: usize) -> Frame {
        let pixels = (0..height * width * 3).map(|i| ((i * 7919 + (i / 97) * 31) % 256) as u8).collect();
        Frame { width, height, pixels }
    }

    #[test]
    fn a_frame_of_the_right_size_is_unchanged() {
        let frame = pattern(12, 9);
        assert_eq!(resize_and_crop(&frame, 12, 9), frame.pixels);
    }

    #[test]
    fn both_sides_cover_the_target() {
        assert_eq!(covering_size(240, 320, 64, 64), (64, 85));
        assert_eq!(covering_size(320, 240, 64, 64), (85, 64));
        assert_eq!(covering_size(100, 200, 64, 160), (80, 160));
        assert_eq!(covering_size(7, 5, 64, 32), (64, 45));
    }

    #[test]
    fn a_flat_frame_stays_flat() {
        let frame = Frame { width: 33, height: 21, pixels: [10, 200, 77].repeat(33 * 21) };
        assert_eq!(resize_and_crop(&frame, 16, 16), [10, 200, 77].repeat(256));
    }

    #[test]
    fn values_are_pillows() {
        // numpy: Image.fromarray((arange(h * w * 3) * 37 % 256).reshape(h, w, 3)).resize(.., BILINEAR), Pillow 13.0.0
        let frame = |height: usize, width: usize| {
            let pixels = (0..height * width * 3).map(|i| (i * 37 % 256) as u8).collect();
            Frame { width, height, pixels }
        };
        assert_eq!(
            resize_and_crop(&frame(6, 9), 2, 3),
            [124, 121, 118, 121, 130, 135, 130, 119, 120, 121, 122, 143, 130, 124, 126, 127, 136, 125]
        );
        assert_eq!(
            resize_and_crop(&frame(2, 3), 4, 6),
            [
                0, 37, 74, 28, 65, 102, 83, 120, 157, 139, 112, 149, 194, 39, 76, 222, 3, 40, 19, 56, 93, 47, 84, 105, 102, 139,
                128, 142, 131, 120, 165, 58, 79, 177, 22, 59, 58, 95, 132, 86, 123, 112, 141, 178, 71, 149, 170, 63, 108, 97, 86,
                88, 61, 98, 77, 114, 151, 105, 142, 115, 160, 197, 42, 152, 189, 34, 79, 116, 89, 43, 80, 117
            ]
        );
    }
}
