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
    /// The first frames each, `[batch, tokens]`: tokens of a clip that shows them and then repeats the last of them (paper, appendix
    /// A.2). What separates them from the sequence is the generator's own affair.
    Frames(Tensor<2, Int>),
    /// Nothing: that many sequences of the model as a whole.
    Unconditional(usize),
}

impl Condition {
    /// Number of sequences.
    pub fn batch(&self) -> usize {
        match self {
            Condition::Classes(classes) => classes.dims()[0],
            Condition::Frames(tokens) => tokens.dims()[0],
            Condition::Unconditional(batch) => *batch,
        }
    }
}

/// What a generator wants to be told of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConditionKind {
    /// Its class, [`Condition::Classes`], or nothing, [`Condition::Unconditional`].
    #[default]
    Class,
    /// Its first frames, [`Condition::Frames`].
    Frames(FrameCondition),
}

/// How the frames that are given become tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameCondition {
    /// Number of frames that are given in training.
    pub frames: usize,
    /// How they are tokenized when clips are predicted; training always takes the likeliest tokens.
    pub tokens: ConditionTokens,
}

/// How the tokens of given frames are chosen when clips are predicted (SPEC.md, departure 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionTokens {
    /// The likeliest code each, as in training.
    #[default]
    Argmax,
    /// As the quantizer draws them: what the released code does when it predicts.
    Drawn,
}

/// How tokens are drawn from logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Classifier-free guidance: `unconditional + scale * (conditional - unconditional)`; 1 is none. Frames know no guidance.
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
    /// What it is told of a clip; it is asked with no other kind of [`Condition`].
    fn condition(&self) -> ConditionKind {
        ConditionKind::Class
    }

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
