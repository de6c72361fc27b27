//! The `[train.critic]` part of a pipeline file: how the critic is trained, and how the tokenizer against it.

use larp_traits::SettingsError;
use larp_traits::error::positive;
use serde::{Deserialize, Serialize};

use super::OptimizerSettings;

/// Adversarial training (paper, appendix A.1); it is there when the pipeline has a `[critic]` and `losses.critic` is not 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CriticTraining {
    /// What critic and tokenizer minimise.
    pub loss: CriticLoss,
    /// The targets' noise in `non-saturating-smooth`.
    pub smoothing: Smoothing,
    /// What `losses.critic` is a factor of.
    pub weighting: Weighting,
    /// Tokenizer steps from one update of the critic to the next.
    pub every: usize,
    /// Tokenizer steps before the first update of the critic; the released code counts epochs (SPEC.md, departure 11).
    pub start: usize,
    /// Tokenizer steps before the tokenizer's loss has the critic's part; it never has it before `start`.
    pub loss_start: usize,
    /// The critic's learning rate over that of the tokenizer, whose schedule it follows.
    pub learning_rate_multiplier: f64,
    /// Decay of the two moments of the critic's Adam: 0.9 and 0.95 in the paper, 0.5 and 0.9 in the released code (SPEC.md, departure 3).
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay of AdamW; 0 is Adam.
    pub weight_decay: f64,
    /// Largest norm of all gradients of the critic together; 0 does not clip.
    pub clip_norm: f64,
    /// LeCam regularisation.
    pub lecam: LeCamSettings,
    /// Gradient penalty on real clips.
    pub r1: R1Settings,
}

impl Default for CriticTraining {
    fn default() -> Self {
        Self {
            loss: CriticLoss::default(),
            smoothing: Smoothing::default(),
            weighting: Weighting::default(),
            every: 5,
            start: 0,
            loss_start: 0,
            learning_rate_multiplier: 0.3,
            betas: [0.9, 0.95],
            eps: 1e-8,
            weight_decay: 0.0,
            clip_norm: 0.0,
            lecam: LeCamSettings::default(),
            r1: R1Settings::default(),
        }
    }
}

/// The game that critic and tokenizer play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CriticLoss {
    /// Binary cross-entropy; the tokenizer maximises the probability of being taken for real (Goodfellow et al., 2014).
    NonSaturating,
    /// The same with noise on the targets of both sides, as in the released code (SPEC.md, departure 12).
    #[default]
    NonSaturatingSmooth,
    /// Logits are pushed beyond a margin of 1 (Lim and Ye, 2017).
    Hinge,
}

/// Noise on the targets: `1 - noise` for clips and `noise` for reconstructions, with `noise = min(scale * |N(0, 1)|, limit)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smoothing {
    /// Deviation of the normal distribution.
    pub scale: f64,
    /// The most noise there is.
    pub limit: f64,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self { scale: 0.15, limit: 0.3 }
    }
}

/// The weight of the critic's part in the tokenizer's loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// `losses.critic` itself, as in the paper.
    #[default]
    Fixed,
    /// `losses.critic` times the ratio of the gradients of reconstruction loss and critic's part at the decoder's last layer (Esser et
    /// al., 2021, equation 7). It takes two more decodings a step.
    Adaptive,
}

/// LeCam regularisation (Tseng et al., 2021): logits stay near a moving average of those of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeCamSettings {
    /// Its weight in the critic's loss; 0 is none.
    pub weight: f64,
    /// Decay of the moving averages of the logits.
    pub decay: f64,
    /// How often the weight is multiplied in: the released code does it twice, which makes 1e-6 of 0.001 (SPEC.md, departure 7).
    pub weight_applied: Applied,
}

impl Default for LeCamSettings {
    fn default() -> Self {
        Self { weight: 0.001, decay: 0.999, weight_applied: Applied::default() }
    }
}

impl LeCamSettings {
    /// The factor on the penalty.
    pub fn factor(&self) -> f64 {
        match self.weight_applied {
            Applied::Once => self.weight,
            Applied::Twice => self.weight * self.weight,
        }
    }
}

/// How often a weight is multiplied in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applied {
    /// As a weight usually is.
    #[default]
    Once,
    /// As in the released code.
    Twice,
}

/// R1 gradient penalty (Mescheder et al., 2018, equation 9): half the squared norm of the gradient of a real clip's score in its pixels.
/// The paper has none. The released code knows one without the half, but never runs it: its loss module stays in evaluation mode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct R1Settings {
    /// Its weight in the critic's loss; 0 is none.
    pub weight: f64,
    /// The gradient of the penalty is a central difference along the gradient; this is its step on either side, as the root mean square
    /// change of a pixel. Error grows with its square, rounding with its inverse.
    pub step: f64,
}

impl Default for R1Settings {
    fn default() -> Self {
        Self { weight: 0.0, step: 1e-3 }
    }
}

impl CriticTraining {
    /// Whether an update of the critic comes before this step of the tokenizer, counted from 0.
    pub fn is_due(&self, step: usize) -> bool {
        step.checked_sub(self.start).is_some_and(|after| after.is_multiple_of(self.every))
    }

    /// Updates of the critic in this many steps of the tokenizer.
    pub fn updates(&self, steps: usize) -> usize {
        steps.saturating_sub(self.start).div_ceil(self.every)
    }

    /// Its optimiser; the learning rate comes from the tokenizer's.
    pub(crate) fn optimizer(&self) -> OptimizerSettings {
        let Self { betas, eps, weight_decay, clip_norm, .. } = *self;
        OptimizerSettings { betas, eps, weight_decay, clip_norm, ..OptimizerSettings::default() }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// When a value cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        let refuse = |key: &str, value: f64, why: &str| Err(SettingsError::value(format!("train.critic.{key}"), value, why));
        if self.every == 0 {
            return refuse("every", 0.0, "it must be at least 1");
        }
        for (key, value) in [
            ("learning_rate_multiplier", self.learning_rate_multiplier),
            ("smoothing.scale", self.smoothing.scale),
            ("weight_decay", self.weight_decay),
            ("clip_norm", self.clip_norm),
            ("lecam.weight", self.lecam.weight),
            ("r1.weight", self.r1.weight),
        ] {
            if !value.is_finite() || value < 0.0 {
                return refuse(key, value, "it must be 0 or more");
            }
        }
        for (key, value) in [("betas", self.betas[0]), ("betas", self.betas[1]), ("lecam.decay", self.lecam.decay)] {
            if !(0.0..1.0).contains(&value) {
                return refuse(key, value, "it must be from 0 to below 1");
            }
        }
        if !(0.0..=0.5).contains(&self.smoothing.limit) {
            return refuse("smoothing.limit", self.smoothing.limit, "it must be from 0 to 0.5, where both targets meet");
        }
        positive("train.critic.r1.step", self.r1.step)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::from_the_first_step(0, 5, 11)]
    #[case::every_step(3, 1, 11)]
    #[case::ends_before_an_update(4, 3, 10)]
    #[case::starts_after_the_last_step(20, 2, 11)]
    fn updates_are_the_steps_that_are_due(#[case] start: usize, #[case] every: usize, #[case] steps: usize) {
        let settings = CriticTraining { start, every, ..CriticTraining::default() };
        assert_eq!(settings.updates(steps), (0..steps).filter(|step| settings.is_due(*step)).count());
    }
}
