//! The autoregressive prior that is trained with the tokenizer (paper, section 3.3).

use crate::component::Component;
use crate::context::BuildContext;
use crate::draw::Draw;
use crate::error::SettingsError;
use crate::quantizer::Quantized;
use crate::tensor::Tensor;

/// How far training has come; schedules depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub total: usize,
}

impl Progress {
    /// Done over all, in [0, 1].
    pub fn fraction(&self) -> f64 {
        self.step as f64 / self.total.max(1) as f64
    }
}

/// What the prior says of a sequence.
#[derive(Debug, Clone)]
pub struct PriorLoss {
    /// Mean negative log-likelihood a predicted token in nats, `[1]`.
    pub nll: Tensor<1>,
    /// Share of tokens it ranks first, `[1]`, without a gradient.
    pub accuracy: Tensor<1>,
}

/// Models the token sequence while the tokenizer is trained; not used after that.
pub trait Prior: Component {
    /// Negative log-likelihood of a quantized sequence, with gradients to the sequence's embeddings.
    ///
    /// # Shapes
    /// - sequence: tokens `[batch, tokens]`, embeddings `[batch, tokens, code_dim]`
    /// - codebook: `[vocab, code_dim]`
    fn nll(&self, sequence: &Quantized, codebook: Tensor<2>, at: Progress, draw: Draw) -> PriorLoss;
}

crate::erased!(
    /// Any prior.
    DynPrior, Prior
);

/// Settings of a prior.
#[typetag::serde(tag = "type")]
pub trait PriorSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// Builds the prior, its parameters not yet started.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(&self, context: &BuildContext) -> Result<DynPrior, SettingsError>;
}
dyn_clone::clone_trait_object!(PriorSettings);
