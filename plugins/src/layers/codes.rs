//! Position codes of tokens, fixed or learned.

use burn::module::Param;
use larp_traits::{Component, Device, Fixed, Init, Tensor, init};
use serde::{Deserialize, Serialize};

use super::positions::{sin_cos_1d, sin_cos_3d, sin_cos_thirds};

const BASE: f64 = 10_000.0;

/// Standard deviation of learned codes and queries at the start.
pub const CODE_STD: f64 = 0.02;

/// How patches are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchPositions {
    /// Fixed 3D sine-cosine codes as in the released code, the axes added up at full width (SPEC.md, departure 13).
    #[default]
    SinCos,
    /// Fixed 3D sine-cosine codes, each axis in a third of the width.
    SinCosThirds,
    /// A learned code a row, column and time step, added up; they start as sine-cosine codes.
    Factorized,
    /// A learned code a patch.
    Learned,
}

/// Codes of a grid of patches. One of the parts is there, as [`PatchPositions`] says.
#[derive(Component, Debug)]
pub struct PatchCodes {
    /// Fixed, `[1, patches, dim]`.
    pub fixed: Option<Fixed<3>>,
    /// `[time, dim]`.
    pub time: Option<Param<Tensor<2>>>,
    /// `[height, dim]`.
    pub height: Option<Param<Tensor<2>>>,
    /// `[width, dim]`.
    pub width: Option<Param<Tensor<2>>>,
    /// `[patches, dim]`.
    pub learned: Option<Param<Tensor<2>>>,
}

impl PatchCodes {
    /// Codes of `cells` patches along time, height and width.
    pub fn new(kind: PatchPositions, cells: [usize; 3], dim: usize, device: &Device) -> Self {
        let mut codes = Self { fixed: None, time: None, height: None, width: None, learned: None };
        let count = cells.iter().product();
        let axis = |length: usize| {
            let values = Init::Values(sin_cos_1d(dim, length, BASE).into());
            Some(init::param([length, dim], values, device))
        };
        match kind {
            PatchPositions::SinCos => codes.fixed = Some(Fixed::new(sin_cos_3d(dim, cells), [1, count, dim], device)),
            PatchPositions::SinCosThirds => codes.fixed = Some(Fixed::new(sin_cos_thirds(dim, cells), [1, count, dim], device)),
            PatchPositions::Factorized => [codes.time, codes.height, codes.width] = cells.map(axis),
            PatchPositions::Learned => {
                codes.learned = Some(init::param([count, dim], Init::Normal { std: CODE_STD }, device));
            }
        }
        codes
    }

    /// `[1, patches, dim]`.
    pub fn val(&self) -> Tensor<3> {
        if let Some(fixed) = &self.fixed {
            return fixed.val();
        }
        if let Some(learned) = &self.learned {
            return learned.val().unsqueeze();
        }
        let axis = |code: &Option<Param<Tensor<2>>>| code.as_ref().expect("factorized codes have all three axes").val();
        let (time, height, width) = (axis(&self.time), axis(&self.height), axis(&self.width));
        let [[t, dim], [h, _], [w, _]] = [time.dims(), height.dims(), width.dims()];
        let sum = time.reshape([t, 1, 1, dim]) + height.reshape([1, h, 1, dim]) + width.reshape([1, 1, w, dim]);
        sum.reshape([1, t * h * w, dim])
    }
}

/// How the tokens of a sequence are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenPositions {
    /// Fixed 1D sine-cosine codes.
    #[default]
    SinCos,
    /// A learned code a token.
    Learned,
}

/// Codes of a sequence. One of the parts is there, as [`TokenPositions`] says.
#[derive(Component, Debug)]
pub struct TokenCodes {
    /// Fixed, `[1, tokens, dim]`.
    pub fixed: Option<Fixed<3>>,
    /// `[tokens, dim]`.
    pub learned: Option<Param<Tensor<2>>>,
}

impl TokenCodes {
    /// Codes of `tokens` tokens.
    pub fn new(kind: TokenPositions, tokens: usize, dim: usize, device: &Device) -> Self {
        let learned = || init::param([tokens, dim], Init::Normal { std: CODE_STD }, device);
        match kind {
            TokenPositions::SinCos => {
                let fixed = Fixed::new(sin_cos_1d(dim, tokens, BASE), [1, tokens, dim], device);
                Self { fixed: Some(fixed), learned: None }
            }
            TokenPositions::Learned => Self { fixed: None, learned: Some(learned()) },
        }
    }

    /// `[1, tokens, dim]`.
    pub fn val(&self) -> Tensor<3> {
        match (&self.fixed, &self.learned) {
            (Some(fixed), _) => fixed.val(),
            (None, Some(learned)) => learned.val().unsqueeze(),
            (None, None) => unreachable!("one of the two is built"),
        }
    }
}
