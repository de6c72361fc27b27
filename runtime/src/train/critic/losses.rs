//! What critic and tokenizer minimise.

use burn::tensor::activation::{log_sigmoid, relu};
use larp_traits::{Draw, Tensor};

use crate::pipeline::{CriticLoss, Smoothing};

/// Scores of clips and of their reconstructions, `[batch, scores]` each.
#[derive(Debug, Clone)]
pub struct Logits {
    /// Of clips.
    pub real: Tensor<2>,
    /// Of reconstructions.
    pub fake: Tensor<2>,
}

/// What the critic minimises, `[1]`. Without a stream to draw from, the smooth loss has no noise.
pub fn critic_loss(loss: CriticLoss, smoothing: Smoothing, Logits { real, fake }: Logits, draw: Draw) -> Tensor<1> {
    match loss {
        CriticLoss::NonSaturating => {
            cross_entropy(real.clone(), real.ones_like()) + cross_entropy(fake.clone(), fake.zeros_like())
        }
        CriticLoss::NonSaturatingSmooth => {
            // released code: loss.py, ns_d_loss_single_side_smooth, which smooths both sides
            let target = noise(smoothing, &real, draw.fork("real")).neg().add_scalar(1.0);
            cross_entropy(real, target) + cross_entropy(fake.clone(), noise(smoothing, &fake, draw.fork("fake")))
        }
        CriticLoss::Hinge => (relu(real.neg().add_scalar(1.0)).mean() + relu(fake.add_scalar(1.0)).mean()).mul_scalar(0.5),
    }
}

/// What the tokenizer minimises for its reconstructions to be taken for clips, `[1]`.
///
/// # Shapes
/// - fake: `[batch, scores]`
pub fn tokenizer_loss(loss: CriticLoss, fake: Tensor<2>) -> Tensor<1> {
    match loss {
        CriticLoss::NonSaturating | CriticLoss::NonSaturatingSmooth => log_sigmoid(fake).mean().neg(),
        CriticLoss::Hinge => fake.mean().neg(),
    }
}

/// Binary cross-entropy of logits.
fn cross_entropy(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    (target.neg().add_scalar(1.0) * logits.clone() - log_sigmoid(logits)).mean()
}

fn noise(smoothing: Smoothing, like: &Tensor<2>, draw: Draw) -> Tensor<2> {
    match draw {
        Draw::Deterministic => like.zeros_like(),
        Draw::Stream(stream) => {
            stream.normal(like.dims(), &like.device()).abs().mul_scalar(smoothing.scale).clamp_max(smoothing.limit)
        }
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::Stream;
    use larp_traits::tensor::{cpu, scalar};
    use rstest::rstest;

    use super::*;

    fn logits() -> Logits {
        let column = |values: [f32; 2]| Tensor::<1>::from_floats(values, &cpu()).reshape([2, 1]);
        Logits { real: column([0.5, -1.0]), fake: column([0.25, 2.0]) }
    }

    // numbers of PyTorch: binary_cross_entropy_with_logits, relu, logsigmoid
    #[rstest]
    #[case::non_saturating(CriticLoss::NonSaturating, 2.370_103, 0.351_433)]
    #[case::smooth_without_noise(CriticLoss::NonSaturatingSmooth, 2.370_103, 0.351_433)]
    #[case::hinge(CriticLoss::Hinge, 1.6875, -1.125)]
    fn losses_have_the_values_of_pytorch(#[case] loss: CriticLoss, #[case] of_critic: f32, #[case] of_tokenizer: f32) {
        let found = scalar(critic_loss(loss, Smoothing::default(), logits(), Draw::Deterministic));
        assert!((found - of_critic).abs() < 1e-5, "{found}");
        let found = scalar(tokenizer_loss(loss, logits().fake));
        assert!((found - of_tokenizer).abs() < 1e-5, "{found}");
    }

    #[test]
    fn the_noise_of_the_targets_has_its_scale_and_its_limit() {
        let like = Tensor::zeros([10_000, 1], &cpu());
        let noise = noise(Smoothing::default(), &like, Draw::Stream(Stream::new(3)));
        let (smallest, largest) = (noise.clone().min().into_scalar(), noise.clone().max().into_scalar());
        assert!((0.0..0.001).contains(&smallest) && largest == 0.3, "{smallest} {largest}");
        // E min(0.15 |N|, 0.3) = 0.15 (sqrt(2 / pi) (1 - exp(-2)) + 2 P(|N| > 2))
        let mean: f32 = noise.mean().into_scalar();
        assert!((mean - 0.1171).abs() < 0.003, "{mean}");
    }

    #[test]
    fn smoothing_noises_both_sides() {
        let extreme =
            |real, fake| Logits { real: Tensor::full([64, 1], real, &cpu()), fake: Tensor::full([64, 1], fake, &cpu()) };
        let loss = |logits| {
            let draw = Draw::Stream(Stream::new(3));
            scalar(critic_loss(CriticLoss::NonSaturatingSmooth, Smoothing::default(), logits, draw))
        };
        // a critic that is sure of the truth pays 20 a unit of noise on each side, 2.3 on average; one that is sure of the clips
        // alone pays that once, and log 2 for the reconstructions
        let (both, one) = (loss(extreme(20.0, -20.0)), loss(extreme(20.0, 0.0)));
        assert!((3.5..6.0).contains(&both), "{both}");
        assert!((1.7..3.7).contains(&one), "{one}");
    }
}
