//! Sine-cosine position codes (Vaswani et al., 2017), in float64, then float32.

/// Codes of `positions`, `[positions, dim]`: the sines of all frequencies, then the cosines.
///
/// # Panics
/// When `dim` is odd.
pub fn sin_cos_1d(dim: usize, positions: usize, base: f64) -> Vec<f32> {
    (0..positions).flat_map(|position| code(dim, position as f64, base)).map(|value| value as f32).collect()
}

/// Codes of a grid of patches, `[time * height * width, dim]`: a 2D code (width in the first half, height in the second) plus a 1D
/// code of time at full width (SPEC.md, departure 13).
///
/// # Panics
/// When `dim` is not divisible by 4.
pub fn sin_cos_3d(dim: usize, [time, height, width]: [usize; 3]) -> Vec<f32> {
    const BASE: f64 = 10_000.0;
    let mut codes = Vec::with_capacity(time * height * width * dim);
    for t in 0..time {
        let of_time = code(dim, t as f64, BASE);
        for y in 0..height {
            for x in 0..width {
                let of_place = code(dim / 2, x as f64, BASE).into_iter().chain(code(dim / 2, y as f64, BASE));
                codes.extend(of_place.zip(&of_time).map(|(place, time)| (place + time) as f32));
            }
        }
    }
    codes
}

/// The same with each axis in a third of the width of its own, time first: another reading of "3D sine-cosine codes".
///
/// # Panics
/// When `dim` is not divisible by 4.
pub fn sin_cos_thirds(dim: usize, [time, height, width]: [usize; 3]) -> Vec<f32> {
    const BASE: f64 = 10_000.0;
    assert!(dim.is_multiple_of(4), "sines and cosines of three axes: the width {dim} is not divisible by 4");
    let of_place = dim / 6 * 2;
    let of_time = dim - 2 * of_place;
    let mut codes = Vec::with_capacity(time * height * width * dim);
    for t in 0..time {
        for y in 0..height {
            for x in 0..width {
                codes.extend(code(of_time, t as f64, BASE));
                codes.extend(code(of_place, y as f64, BASE));
                codes.extend(code(of_place, x as f64, BASE));
            }
        }
    }
    codes.into_iter().map(|value: f64| value as f32).collect()
}

fn code(dim: usize, position: f64, base: f64) -> Vec<f64> {
    assert!(dim.is_multiple_of(2), "a sine and a cosine a frequency: the width {dim} is odd");
    let half = dim / 2;
    let angles = (0..half).map(|i| position / base.powf(i as f64 / half as f64));
    angles.clone().map(f64::sin).chain(angles.map(f64::cos)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_zero_is_zeros_then_ones() {
        assert_eq!(sin_cos_1d(4, 1, 10_000.0), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn the_width_comes_first_in_the_code_of_a_patch() {
        let codes = sin_cos_3d(8, [1, 2, 2]);
        let (origin, right) = (&codes[..8], &codes[8..16]);
        assert_ne!(origin[..4], right[..4]);
        assert_eq!(origin[4..], right[4..]);
    }

    #[test]
    fn each_axis_has_a_third_of_its_own() {
        let codes = sin_cos_thirds(12, [2, 1, 2]);
        let (origin, right, later) = (&codes[..12], &codes[12..24], &codes[24..36]);
        assert_eq!((&origin[..8], &origin[4..]), (&right[..8], &later[4..]));
        assert!(origin[8..] != right[8..] && origin[..4] != later[..4]);
    }
}
