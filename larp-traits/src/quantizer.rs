//! Latents to tokens and back.

use crate::component::Component;
use crate::context::BuildContext;
use crate::draw::Draw;
use crate::error::SettingsError;
use crate::shapes::QuantizerShape;
use crate::tensor::{Int, Tensor};

/// One term of a loss.
#[derive(Debug, Clone)]
pub struct LossTerm {
    /// Name in logs: `commitment`.
    pub name: &'static str,
    /// Its weight within the component's loss.
    pub weight: f64,
    /// Its value, `[1]`, unweighted.
    pub value: Tensor<1>,
}

/// Quantized latents.
#[derive(Debug, Clone)]
pub struct Quantized {
    /// `[batch, tokens]`.
    pub tokens: Tensor<2, Int>,
    /// `[batch, tokens, code_dim]`; the gradient goes straight through to the latents.
    pub embeddings: Tensor<3>,
    /// What the quantizer adds to the loss.
    pub losses: Vec<LossTerm>,
}

impl Quantized {
    /// The weighted sum of the losses; `None` for a quantizer without any.
    pub fn loss(&self) -> Option<Tensor<1>> {
        let terms = self.losses.iter().map(|term| term.value.clone().mul_scalar(term.weight));
        terms.reduce(|sum, term| sum + term)
    }
}

/// Maps latents to a finite set of codes.
pub trait Quantizer: Component {
    /// Chooses a code for each latent.
    ///
    /// # Shapes
    /// - latents: `[batch, tokens, code_dim]`
    fn quantize(&self, latents: Tensor<3>, draw: Draw) -> Quantized;

    /// The embeddings of tokens; equal to those `quantize` gave with them.
    ///
    /// # Shapes
    /// - tokens: `[batch, tokens]`, each below `vocab_size`
    /// - output: `[batch, tokens, code_dim]`
    fn dequantize(&self, tokens: Tensor<2, Int>) -> Tensor<3>;

    /// Number of distinct tokens.
    fn vocab_size(&self) -> usize;

    /// Width of latents and embeddings.
    fn code_dim(&self) -> usize;

    /// All codes as the prior compares with them, `[vocab, code_dim]`, with their gradient; `None` when they cannot be listed.
    fn codebook(&self) -> Option<Tensor<2>>;

    /// Puts codes that no latent chooses where latents are, code `codes[i]` to `latents[i]`; gives `false`, and changes nothing, where
    /// codes cannot be moved.
    ///
    /// # Shapes
    /// - latents: `[codes, code_dim]`
    fn restart(&mut self, _codes: &[usize], _latents: Tensor<2>) -> bool {
        false
    }
}

crate::erased!(
    /// Any quantizer.
    DynQuantizer, Quantizer
);

/// Settings of a quantizer.
#[typetag::serde(tag = "type")]
pub trait QuantizerSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// What it offers for latents of width `code_dim`.
    ///
    /// # Errors
    /// When it cannot work with that width.
    fn shape(&self, code_dim: usize) -> Result<QuantizerShape, SettingsError>;

    /// Builds the quantizer, its parameters not yet started.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(&self, context: &BuildContext) -> Result<DynQuantizer, SettingsError>;
}
dyn_clone::clone_trait_object!(QuantizerSettings);
