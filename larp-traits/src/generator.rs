//! The autoregressive model of tokens that generates clips.

use crate::component::Component;
use crate::context::BuildContext;
use crate::draw::Draw;
use crate::error::SettingsError;
use crate::tensor::{Int, Tensor};

/// What a sequence is generated from.
#[derive(Debug, Clone)]
pub enum Condition {
    /// A class each, `[batch]`.
    Classes(Tensor<1, Int>),
    /// Tokens before the sequence, `[batch, prefix]`: those of the known frames and a separator.
    Prefix(Tensor<2, Int>),
    /// Nothing: that many sequences of the model as a whole.
    Unconditional(usize),
}

impl Condition {
    /// Number of sequences.
    pub fn batch(&self) -> usize {
        match self {
            Condition::Classes(classes) => classes.dims()[0],
            Condition::Prefix(tokens) => tokens.dims()[0],
            Condition::Unconditional(batch) => *batch,
        }
    }
}

/// How tokens are drawn from logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Classifier-free guidance: `unconditional + scale * (conditional - unconditional)`; 1 is none.
    pub cfg_scale: f64,
    /// Divides the logits.
    pub temperature: f64,
    /// Only the `k` most likely tokens; 0 is all.
    pub top_k: usize,
    /// Only the most likely tokens up to this probability; 1 is all.
    pub top_p: f64,
}

impl Default for Sampling {
    /// As in the paper (appendix A.2): guidance 1.25, the whole distribution.
    fn default() -> Self {
        Self { cfg_scale: 1.25, temperature: 1.0, top_k: 0, top_p: 1.0 }
    }
}

/// What the generator says of sequences.
#[derive(Debug, Clone)]
pub struct GeneratorLoss {
    /// Mean negative log-likelihood a token in nats, `[1]`.
    pub nll: Tensor<1>,
    /// Share of tokens it ranks first, `[1]`, without a gradient.
    pub accuracy: Tensor<1>,
}

/// Models token sequences.
pub trait Generator: Component {
    /// Negative log-likelihood of sequences. With a stream, dropout is on and conditions are dropped at random.
    ///
    /// # Shapes
    /// - tokens: `[batch, tokens]`
    fn nll(&self, tokens: Tensor<2, Int>, condition: &Condition, draw: Draw) -> GeneratorLoss;

    /// Generates sequences, `[batch, tokens]`; greedy when the draw is deterministic.
    fn generate(&self, condition: &Condition, sampling: &Sampling, draw: Draw) -> Tensor<2, Int>;
}

crate::erased!(
    /// Any generator.
    DynGenerator, Generator
);

/// Settings of a generator.
#[typetag::serde(tag = "type")]
pub trait GeneratorSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// Builds the generator, its parameters not yet started.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(&self, context: &BuildContext) -> Result<DynGenerator, SettingsError>;
}
dyn_clone::clone_trait_object!(GeneratorSettings);
