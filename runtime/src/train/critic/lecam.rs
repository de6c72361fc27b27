//! LeCam regularisation (Tseng et al., 2021).

use burn::tensor::activation::relu;
use larp_traits::Tensor;
use serde::{Deserialize, Serialize};

use super::Logits;

/// Moving averages of the mean logits, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeCam {
    /// Of clips.
    pub real: f64,
    /// Of reconstructions.
    pub fake: f64,
}

impl LeCam {
    /// How far the mean logits are beyond the averages of the other side, squared, `[1]`; one-sided, as in the released code.
    pub fn penalty(&self, Logits { real, fake }: Logits) -> Tensor<1> {
        let real = relu(real.mean().sub_scalar(self.fake)).square();
        real + relu(fake.mean().neg().add_scalar(self.real)).square()
    }

    /// Moves the averages towards mean logits.
    pub fn update(&mut self, real: f64, fake: f64, decay: f64) {
        self.real = decay * self.real + (1.0 - decay) * real;
        self.fake = decay * self.fake + (1.0 - decay) * fake;
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, scalar};

    use super::*;

    #[test]
    fn the_penalty_is_one_sided() {
        let lecam = LeCam { real: 0.3, fake: -0.2 };
        let logits = |real, fake| Logits { real: Tensor::full([2, 1], real, &cpu()), fake: Tensor::full([2, 1], fake, &cpu()) };
        // (0.5 + 0.2)^2 + (0.3 + 0.1)^2
        assert!((scalar(lecam.penalty(logits(0.5, -0.1))) - 0.65).abs() < 1e-6);
        assert_eq!(scalar(lecam.penalty(logits(-0.5, 0.4))), 0.0);
    }

    #[test]
    fn the_averages_move_by_their_decay() {
        let mut lecam = LeCam::default();
        lecam.update(1.0, -2.0, 0.9);
        lecam.update(1.0, -2.0, 0.9);
        assert!((lecam.real - 0.19).abs() < 1e-12 && (lecam.fake + 0.38).abs() < 1e-12, "{lecam:?}");
    }
}
