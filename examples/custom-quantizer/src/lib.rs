//! Finite scalar quantization, as a crate that a user of the toolkit writes.
//!
//! Each of the few latent dimensions is squashed into a range and rounded to one of `levels` values; a token is the rounded
//! values read as a number in mixed radix. There is nothing to learn, so there is no codebook to collapse.
//!
//! Mentzer, Minnen, Agustsson, Tschannen: Finite Scalar Quantization: VQ-VAE Made Simple (2023), section 3 and appendix A.1.

mod levels;

pub use levels::Levels;

use larp_traits::prelude::*;

/// Settings of finite scalar quantization.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FsqSettings {
    /// Number of values of each dimension; as many as the bottleneck's `code_dim`.
    pub levels: Vec<usize>,
}

impl Default for FsqSettings {
    fn default() -> Self {
        Self { levels: vec![8, 5, 5, 5] }
    }
}

#[typetag::serde(name = "fsq")]
impl QuantizerSettings for FsqSettings {
    fn shape(&self, code_dim: usize) -> Result<QuantizerShape, SettingsError> {
        let levels = Levels::new(&self.levels)?;
        if levels.dims() != code_dim {
            let (left, right) = (format!("`quantizer.levels` with {} levels", levels.dims()), format!("`code_dim` {code_dim}"));
            return Err(SettingsError::mismatch(left, right, "each dimension has its level; change one of the two"));
        }
        Ok(QuantizerShape { vocab_size: levels.vocab_size(), code_dim, codebook: true })
    }

    fn build(&self, context: &BuildContext) -> Result<DynQuantizer, SettingsError> {
        self.shape(context.quantizer.code_dim)?;
        Ok(Fsq::new(Levels::new(&self.levels)?, &context.device).into())
    }
}

register!(
    Quantizer,
    "fsq",
    FsqSettings,
    "rounds each dimension to a few levels; nothing to learn",
    "Mentzer et al. 2023, section 3"
);

/// Finite scalar quantization: constants, and not one parameter.
#[derive(Component, Debug)]
pub struct Fsq {
    /// All codes, `[vocab, code_dim]`.
    codes: Fixed<2>,
    /// Half of each dimension's range, `[1, 1, code_dim]`.
    half_range: Fixed<3>,
    /// Moves the range of an even number of levels by a half, `[1, 1, code_dim]`.
    offset: Fixed<3>,
    /// What the offset is before the squashing: a latent of 0 stays 0, `[1, 1, code_dim]`.
    shift: Fixed<3>,
    /// The value of the highest level, `[1, 1, code_dim]`.
    half_width: Fixed<3>,
    #[component(skip)]
    levels: Levels,
}

impl Fsq {
    /// The quantizer of these levels.
    pub fn new(levels: Levels, device: &Device) -> Self {
        let row = |value: fn(usize) -> f32| Fixed::new(levels.map(value), [1, 1, levels.dims()], device);
        Self {
            codes: Fixed::new(levels.codes(), [levels.vocab_size(), levels.dims()], device),
            half_range: row(levels::half_range),
            offset: row(levels::offset),
            shift: row(|level| (levels::offset(level) / levels::half_range(level)).atanh()),
            half_width: row(levels::half_width),
            levels,
        }
    }

    /// Latents squashed into the range of each dimension; rounding them gives a level.
    ///
    /// # Shapes
    /// - latents and output: `[batch, tokens, code_dim]`
    fn bound(&self, latents: Tensor<3>) -> Tensor<3> {
        (latents + self.shift.val()).tanh() * self.half_range.val() - self.offset.val()
    }
}

impl Quantizer for Fsq {
    fn quantize(&self, latents: Tensor<3>, _: Draw) -> Quantized {
        let bounded = self.bound(latents);
        let rounded = untracked(bounded.clone()).round();
        let [batch, tokens, _] = rounded.dims();
        let places = self.levels.places().iter().map(|place| *place as i64).collect::<Vec<_>>();
        let places = Tensor::<1, Int>::from_data(places.as_slice(), &rounded.device()).reshape([1, 1, -1]);
        let digits = (rounded.clone() + self.half_width.val()).int();
        let tokens = (digits * places).sum_dim(2).reshape([batch, tokens]);
        // straight through: the value is the rounded one, the gradient that of the bounded one
        let straight_through = bounded.clone() + (rounded - untracked(bounded));
        Quantized { tokens, embeddings: straight_through / self.half_width.val(), losses: Vec::new() }
    }

    fn dequantize(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, length] = tokens.dims();
        self.codes.val().select(0, tokens.flatten(0, 1)).reshape([batch, length, self.levels.dims()])
    }

    fn vocab_size(&self) -> usize {
        self.levels.vocab_size()
    }

    fn code_dim(&self) -> usize {
        self.levels.dims()
    }

    fn codebook(&self) -> Option<Tensor<2>> {
        Some(self.codes.val())
    }
}

#[cfg(test)]
mod tests;
