//! The critic of an adversarial training: it tells clips from reconstructions (paper, appendix A.1).

use crate::component::Component;
use crate::context::BuildContext;
use crate::error::SettingsError;
use crate::shapes::VideoShape;
use crate::tensor::Tensor;

/// Judges how real clips look; used while a tokenizer is trained, not after that.
pub trait Critic: Component {
    /// Logits, the larger the more real: one or several a clip. A clip's scores depend on that clip alone: the gradient penalty
    /// takes the gradients of a whole batch at once.
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`, near [0, 1]
    /// - output: `[batch, scores]`
    fn score(&self, video: Tensor<5>) -> Tensor<2>;

    /// Moves what is not learned by gradients on, such as the vectors of a spectral normalisation; called once before each update of
    /// the critic and never by an evaluation.
    fn refresh(&mut self) {}
}

crate::erased!(
    /// Any critic.
    DynCritic, Critic
);

/// Settings of a critic.
#[typetag::serde(tag = "type")]
pub trait CriticSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// Checks that it can judge such clips.
    ///
    /// # Errors
    /// When it cannot.
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError>;

    /// Builds the critic, its parameters not yet started.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(&self, context: &BuildContext) -> Result<DynCritic, SettingsError>;
}
dyn_clone::clone_trait_object!(CriticSettings);
