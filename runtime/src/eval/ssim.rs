//! Structural similarity (Wang et al., 2004) of frames, as the Python package `pytorch-msssim` computes it.

use larp_traits::Tensor;
use larp_traits::burn::tensor::ops::ConvOptions;
use larp_traits::burn::tensor::{DType, TensorData, module};
use larp_traits::tensor::to_host;

/// Values of the Gaussian window along a side.
pub const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
/// `(k l)^2` for k of 0.01 and 0.03 and values in [0, 1].
const STABILISERS: [f64; 2] = [0.01 * 0.01, 0.03 * 0.03];

/// SSIM of each clip: over windows that lie wholly in a frame, averaged over places, channels and frames. 1 for equal clips.
///
/// # Shapes
/// - a and b: `[batch, channels, frames, height, width]`, in [0, 1], at least 11 x 11
///
/// # Panics
/// When the shapes differ or a frame is smaller than the window.
pub fn ssim(a: Tensor<5>, b: Tensor<5>) -> Vec<f64> {
    let [batch, channels, frames, height, width] = a.dims();
    assert_eq!(a.dims(), b.dims(), "clips of one shape");
    assert!(height.min(width) >= WINDOW, "frames of at least {WINDOW} x {WINDOW}, not {height} x {width}");
    let planes = |clips: Tensor<5>| clips.cast(DType::F32).reshape([batch * channels * frames, 1, height, width]);
    let (a, b) = (planes(a), planes(b));
    let (mean_a, mean_b) = (blur(a.clone()), blur(b.clone()));
    let variance = |x: Tensor<4>, mean: &Tensor<4>| blur(x.square()) - mean.clone().square();
    let (variance_a, variance_b) = (variance(a.clone(), &mean_a), variance(b.clone(), &mean_b));
    let both = mean_a.clone() * mean_b.clone();
    let covariance = blur(a * b) - both.clone();
    let [c1, c2] = STABILISERS;
    let structure = (covariance * 2.0 + c2) / (variance_a + variance_b + c2);
    let luminance = (both * 2.0 + c1) / (mean_a.square() + mean_b.square() + c1);
    let map = luminance * structure;
    let values = map.dims().iter().product::<usize>() / batch;
    to_host(map.reshape([batch, values]).mean_dim(1)).into_iter().map(f64::from).collect()
}

/// Weighted means over windows, one side after the other.
fn blur(planes: Tensor<4>) -> Tensor<4> {
    let weights = window();
    let kernel = |shape| Tensor::<4>::from_data(TensorData::new(weights.clone(), shape), &planes.device());
    let options = || ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    let along_height = kernel([1, 1, WINDOW, 1]);
    let along_width = kernel([1, 1, 1, WINDOW]);
    let rows = module::conv2d(planes, along_height, None, options());
    module::conv2d(rows, along_width, None, options())
}

fn window() -> Vec<f32> {
    let weight = |place: usize| (-(place as f64 - (WINDOW / 2) as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp();
    let sum: f64 = (0..WINDOW).map(weight).sum();
    (0..WINDOW).map(|place| (weight(place) / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::super::python::Python;
    use super::*;

    /// The same formula as in `tests/data/metrics/metrics.py`, `[2, 3, 2, 16, 20]`.
    fn clips(phase: f32) -> Tensor<5> {
        let values: Vec<f32> = (0..2 * 3 * 2 * 16 * 20).map(|i| 0.5 + 0.5 * (i as f32 * 0.37 + phase).sin()).collect();
        Tensor::from_data(TensorData::new(values, [2, 3, 2, 16, 20]), &cpu())
    }

    // pytorch_msssim.ssim(frames, frames, data_range=1, size_average=False), mean over the frames of a clip
    #[test]
    fn ssim_equals_that_of_the_python_package() {
        let found = ssim(clips(0.0), clips(0.4));
        for (found, expected) in found.iter().zip(Python::numbers().ssim) {
            assert!((found - expected).abs() < 2e-5, "{found} against {expected}");
        }
    }

    #[test]
    fn equal_clips_are_wholly_similar() {
        assert!(ssim(clips(0.0), clips(0.0)).iter().all(|value| (value - 1.0).abs() < 1e-5));
    }
}
