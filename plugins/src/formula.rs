//! Made-up weights for tests: every value from its index by one formula, the same in Python (`tests/data/lpips_vgg.py`).
//!
//! They let a pipeline with a perceptual loss run where the published weights are not there. Features of such a network tell clips
//! apart, but the distance has nothing to do with what people see.

/// Uniform in [0, 1): 24 bits of a hash of (tensor, index). The mixing steps are those of `lowbias32` by Chris Wellons.
fn uniform(tensor: u32, index: u32) -> f64 {
    let mut x = tensor.wrapping_mul(0x9e37_79b9).wrapping_add(index);
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^= x >> 16;
    f64::from(x >> 8) / f64::from(1 << 24)
}

/// Uniform in `[-bound, bound)`.
pub fn symmetric(tensor: u32, count: usize, bound: f64) -> Vec<f32> {
    (0..count as u32).map(|index| ((2.0 * uniform(tensor, index) - 1.0) * bound) as f32).collect()
}

/// Uniform in [0, 1).
pub fn positive(tensor: u32, count: usize) -> Vec<f32> {
    (0..count as u32).map(|index| uniform(tensor, index) as f32).collect()
}

/// The tensor with number `tensor` of the network: a convolution's weight keeps the variance of what it gets (He et al., 2015).
pub fn of_convolution(tensor: u32, shape: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    match shape {
        [_, rest @ ..] if !rest.is_empty() => symmetric(tensor, count, (6.0 / rest.iter().product::<usize>() as f64).sqrt()),
        _ => symmetric(tensor, count, 0.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spread_evenly_and_differ_from_tensor_to_tensor() {
        let values = symmetric(3, 10_000, 2.0);
        let mean = values.iter().sum::<f32>() / 1e4;
        let variance = values.iter().map(|value| value * value).sum::<f32>() / 1e4;
        assert!(mean.abs() < 0.05 && (variance - 4.0 / 3.0).abs() < 0.05, "{mean} {variance}");
        assert_ne!(positive(1, 8), positive(2, 8));
    }
}
