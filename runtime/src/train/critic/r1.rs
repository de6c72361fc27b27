//! R1 gradient penalty (Mescheder et al., 2018, equation 9) without second-order differentiation.
//!
//! With `g = grad_x D(x)`, the gradient of `|g|^2 / 2` in the critic's parameters is `(d grad_x D / d theta) g`: the derivative of
//! `grad_theta D` along `g`. A central difference gives it from two passes forward and one backward:
//! `|g| (grad_theta D(x + eps g/|g|) - grad_theta D(x - eps g/|g|)) / (2 eps)`.

use burn::module::Module as _;
use larp_traits::tensor::untracked;
use larp_traits::{DynCritic, Tensor};

/// The penalty of some clips.
#[derive(Debug, Clone)]
pub struct GradientPenalty {
    /// `|grad_x D|^2 / 2`, mean over the clips, `[1]`, without a gradient.
    pub value: Tensor<1>,
    /// A term for the critic's loss, `[1]`: its gradient is that of `value`, its value means nothing.
    pub surrogate: Tensor<1>,
}

/// The penalty of clips; several scores of a clip are added up. `step` is `eps` as root mean square over the values of a clip.
///
/// # Shapes
/// - video: `[batch, channels, frames, height, width]`
pub fn gradient_penalty(critic: &DynCritic, video: Tensor<5>, step: f64) -> GradientPenalty {
    let [batch, channels, frames, height, width] = video.dims();
    let input = untracked(video.clone()).require_grad();
    let score = critic.clone().no_grad().score(input.clone()).sum();
    let gradient = match input.grad(&score.backward()) {
        Some(gradient) => Tensor::<5>::from_inner(gradient),
        None => video.zeros_like(),
    };
    let squared = gradient.clone().square().reshape([batch as i32, -1]).sum_dim(1);
    let norm = squared.clone().sqrt();
    let eps = step * ((channels * frames * height * width) as f64).sqrt();
    let direction = gradient / norm.clone().clamp_min(f64::from(f32::MIN_POSITIVE)).reshape([batch, 1, 1, 1, 1]);
    let (video, move_by) = (untracked(video), direction.mul_scalar(eps));
    let score = |video| critic.score(video).sum_dim(1);
    let difference = score(video.clone() + move_by.clone()) - score(video - move_by);
    let surrogate = (difference * norm).sum().div_scalar(2.0 * eps * batch as f64);
    GradientPenalty { value: squared.mean().mul_scalar(0.5), surrogate }
}
