//! `svq`: stochastic vector quantization (paper, equations 6 and 7).
//!
//! Cosine similarities of a latent with all codes, softmax at a temperature, one draw from that distribution; the most likely code
//! when the draw is deterministic.

use burn::tensor::activation::softmax;
use larp_traits::deviation;
use larp_traits::error::positive;
use larp_traits::prelude::*;

use super::{check_codebook, codebook, set_rows};
use crate::layers::lookup::{CodebookWeights, UsageWeights, choose, l2_normalize, lookup, straight_through};
use crate::layers::sample::sample_rows;

/// How a code is chosen while training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeChoice {
    /// Drawn by its probability (paper, equation 6).
    #[default]
    Stochastic,
    /// The likeliest one: the paper's ablation "deterministic quantization" (table 2).
    Argmax,
}

/// The code that commitment and codebook loss compare a latent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossCode {
    /// The one that was chosen, by chance in training: as in the released code (SPEC.md, departure 15).
    #[default]
    Drawn,
    /// The one of largest similarity, whichever was drawn: the losses "as defined in" van den Oord et al. (2017), where no other code
    /// is chosen (paper, section 3.2).
    Nearest,
}

/// Settings of [`Svq`]; the defaults are the paper's, but for `loss_code`, on which its text can be read either way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvqSettings {
    /// Number of codes.
    pub codebook_size: usize,
    /// Divides the cosine similarities before the softmax.
    pub temperature: f64,
    /// `stochastic` draws codes while training, `argmax` takes the likeliest; in evaluation it is always the likeliest.
    pub sampling: CodeChoice,
    /// The code that commitment and codebook loss compare a latent with: the one that was `drawn`, or the `nearest`.
    pub loss_code: LossCode,
    /// Weight of the commitment loss.
    pub commitment_weight: f64,
    /// Weight of the codebook loss.
    pub codebook_weight: f64,
    /// Weight of the entropy loss on the probabilities that codes are drawn with (equation 6): their mean entropy minus the entropy of
    /// their mean, so that choices are sure and the codebook is in use. 0 in the paper. It holds a matrix of all latents by all codes.
    pub entropy_weight: f64,
    /// Weight of the codebook usage loss: `ln(codebook_size)` minus the entropy of the mean of those probabilities. 0 in the paper.
    pub usage_weight: f64,
}

impl Default for SvqSettings {
    fn default() -> Self {
        Self {
            codebook_size: 8192,
            temperature: 0.03,
            sampling: CodeChoice::default(),
            loss_code: LossCode::default(),
            commitment_weight: 0.25,
            codebook_weight: 1.0,
            entropy_weight: 0.0,
            usage_weight: 0.0,
        }
    }
}

register!(
    Quantizer,
    "svq",
    SvqSettings,
    "stochastic vector quantization: a code drawn by its cosine similarity",
    "LARP, section 3.2, equations 6 and 7"
);
deviation!(
    15,
    "the code that the quantizer's losses compare a latent with",
    ("quantizer.type", "svq"),
    "quantizer.loss_code": "'nearest'", "'drawn'"
);

#[typetag::serde(name = "svq")]
impl QuantizerSettings for SvqSettings {
    fn shape(&self, code_dim: usize) -> Result<QuantizerShape, SettingsError> {
        check_codebook(self.codebook_size, code_dim)?;
        positive("quantizer.temperature", self.temperature)?;
        Ok(QuantizerShape { vocab_size: self.codebook_size, code_dim, codebook: true })
    }

    fn build(&self, context: &BuildContext) -> Result<DynQuantizer, SettingsError> {
        let embedding = codebook(self.shape(context.quantizer.code_dim)?, &context.device);
        Ok(Svq { embedding, settings: self.clone() }.into())
    }
}

/// The quantizer.
#[derive(Component, Debug)]
pub struct Svq {
    /// The codes before normalisation, `[vocab, code_dim]`.
    pub embedding: Param<Tensor<2>>,
    #[component(skip)]
    settings: SvqSettings,
}

impl Svq {
    fn codes(&self) -> Tensor<2> {
        l2_normalize(self.embedding.val())
    }

    /// Probability of each code (paper, equation 6).
    ///
    /// # Shapes
    /// - latents: `[rows, code_dim]`, of length 1
    /// - output: `[rows, vocab]`
    pub fn probabilities(&self, latents: Tensor<2>) -> Tensor<2> {
        softmax(self.logits(latents, untracked(self.codes())), 1)
    }

    fn logits(&self, latents: Tensor<2>, codes: Tensor<2>) -> Tensor<2> {
        matmul(latents, codes.transpose()).div_scalar(self.settings.temperature)
    }
}

impl Quantizer for Svq {
    fn quantize(&self, latents: Tensor<3>, draw: Draw) -> Quantized {
        let latents = l2_normalize(latents);
        let draw = match self.settings.sampling {
            CodeChoice::Stochastic => draw,
            CodeChoice::Argmax => Draw::Deterministic,
        };
        let drawn = |draw: Draw| choose(&latents, |rows, part| sample_rows(self.probabilities(rows), draw.at(part)));
        let tokens = drawn(draw);
        let codes = lookup(self.codes(), tokens.clone());
        let compared = match self.settings.loss_code {
            LossCode::Nearest if draw != Draw::Deterministic => lookup(self.codes(), drawn(Draw::Deterministic)),
            LossCode::Nearest | LossCode::Drawn => codes.clone(),
        };
        let weights = CodebookWeights { commitment: self.settings.commitment_weight, codebook: self.settings.codebook_weight };
        let mut losses = weights.losses(latents.clone(), compared);
        let weights = UsageWeights { entropy: self.settings.entropy_weight, usage: self.settings.usage_weight };
        losses.extend(weights.losses(|| self.logits(latents.clone().flatten(0, 1), self.codes())));
        Quantized { tokens, embeddings: straight_through(latents, codes), losses }
    }

    fn dequantize(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        lookup(self.codes(), tokens)
    }

    fn vocab_size(&self) -> usize {
        self.embedding.lazy_shape()[0]
    }

    fn code_dim(&self) -> usize {
        self.embedding.lazy_shape()[1]
    }

    fn codebook(&self) -> Option<Tensor<2>> {
        Some(self.codes())
    }

    fn restart(&mut self, codes: &[usize], latents: Tensor<2>) -> bool {
        let latents = l2_normalize(latents);
        set_rows(&mut self.embedding, codes, latents);
        true
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::scalar;
    use rstest::rstest;

    use super::*;

    /// Codes (1, 0) and (0, 1), so hot that either is drawn.
    fn svq(loss_code: LossCode) -> Svq {
        let settings = SvqSettings { codebook_size: 2, temperature: 1e3, loss_code, ..SvqSettings::default() };
        Svq { embedding: Param::from_tensor(Tensor::from_floats([[1.0, 0.0], [0.0, 1.0]], &cpu())), settings }
    }

    /// Tokens, embeddings and losses of a latent (0.8, 0.6), whose nearest code is the first.
    fn quantized(loss_code: LossCode, draw: Draw) -> (i64, Vec<f32>, [f32; 2]) {
        let found = svq(loss_code).quantize(Tensor::from_floats([[[0.8, 0.6]]], &cpu()), draw);
        let losses = [0, 1].map(|index| scalar(found.losses[index].value.clone()));
        (ints_to_host(found.tokens)[0], to_host(found.embeddings), losses)
    }

    /// A stream that draws the second code.
    fn second() -> Draw {
        let draws = (0..).map(|seed| Draw::Stream(Stream::new(seed)));
        draws.take(64).find(|draw| quantized(LossCode::Drawn, *draw).0 == 1).expect("it is drawn at last")
    }

    // mean of (0.8 - 1)^2 and (0.6 - 0)^2; mean of (0.8 - 0)^2 and (0.6 - 1)^2
    #[rstest]
    #[case::nearest(LossCode::Nearest, 0.2)]
    #[case::drawn(LossCode::Drawn, 0.4)]
    fn the_losses_compare_with_the_named_code(#[case] loss_code: LossCode, #[case] expected: f32) {
        let (token, embedding, losses) = quantized(loss_code, second());
        assert_eq!(token, 1);
        assert!(embedding[0].abs() < 1e-6 && (embedding[1] - 1.0).abs() < 1e-6, "the drawn code is passed on: {embedding:?}");
        assert!(losses.iter().all(|loss| (loss - expected).abs() < 1e-6), "{losses:?}");
    }

    #[test]
    fn without_chance_the_two_agree() {
        let [drawn, nearest] = [LossCode::Drawn, LossCode::Nearest].map(|code| quantized(code, Draw::Deterministic));
        assert_eq!(drawn, nearest);
    }

    #[test]
    fn the_codebook_loss_pulls_the_nearest_code_alone() {
        let svq = svq(LossCode::Nearest);
        let losses = svq.quantize(Tensor::from_floats([[[0.8, 0.6]]], &cpu()), second()).losses;
        let codebook = losses.iter().find(|term| term.name == "codebook").expect("it is there").value.clone();
        let gradient = to_host(svq.embedding.val().grad(&codebook.backward()).map(Tensor::<2>::from_inner).expect("it arrives"));
        assert!(gradient[1].abs() > 0.1 && gradient[2..].iter().all(|value| *value == 0.0), "{gradient:?}");
    }
}
