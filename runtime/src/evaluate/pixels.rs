//! Differences of pixels.

use larp_traits::Tensor;
use larp_traits::tensor::to_host;

/// Errors of one clip, values in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipErrors {
    /// Mean absolute difference.
    pub l1: f64,
    /// Mean squared difference.
    pub mse: f64,
}

impl ClipErrors {
    /// Peak signal-to-noise ratio in dB: `10 log10(1 / mse)`; 100 for an exact copy.
    pub fn psnr(&self) -> f64 {
        -10.0 * self.mse.max(1e-10).log10()
    }
}

/// Errors of each clip of a batch; the reconstruction is clamped to [0, 1].
///
/// # Shapes
/// - video and reconstruction: `[batch, channels, frames, height, width]`
pub fn clip_errors(video: Tensor<5>, reconstruction: Tensor<5>) -> Vec<ClipErrors> {
    let [batch, rest @ ..] = video.dims();
    let difference = (reconstruction.clamp(0.0, 1.0) - video).reshape([batch, rest.iter().product()]);
    let l1 = to_host(difference.clone().abs().mean_dim(1));
    let mse = to_host(difference.square().mean_dim(1));
    l1.into_iter().zip(mse).map(|(l1, mse)| ClipErrors { l1: f64::from(l1), mse: f64::from(mse) }).collect()
}

/// The baseline that knows no motion: each clip's mean over time, in every frame.
///
/// # Shapes
/// - video and output: `[batch, channels, frames, height, width]`
pub fn mean_frame(video: Tensor<5>) -> Tensor<5> {
    let shape = video.dims();
    video.mean_dim(2).expand(shape)
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::*;

    #[test]
    fn psnr_of_a_known_error() {
        let video = Tensor::<5>::zeros([1, 3, 2, 4, 4], &cpu());
        let errors = clip_errors(video.clone(), video + 0.1)[0];
        assert!((errors.psnr() - 20.0).abs() < 1e-3 && (errors.l1 - 0.1).abs() < 1e-6);
    }

    #[test]
    fn a_still_clip_is_its_own_mean_frame() {
        let video = Tensor::<5>::ones([1, 3, 4, 2, 2], &cpu()) * 0.25;
        assert!(clip_errors(video.clone(), mean_frame(video))[0].psnr() > 99.0);
    }
}
