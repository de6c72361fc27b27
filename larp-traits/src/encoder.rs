//! Clips to latents.

use crate::component::Component;
use crate::context::BuildContext;
use crate::error::SettingsError;
use crate::shapes::{LatentShape, VideoShape};
use crate::tensor::Tensor;

/// Turns clips into latent vectors, one a token.
pub trait Encoder: Component {
    /// Encodes clips.
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`, in [0, 1]
    /// - output: `[batch, tokens, dim]`
    fn encode(&self, video: Tensor<5>) -> Tensor<3>;

    /// Tokens and width of the output.
    fn latents(&self) -> LatentShape;
}

crate::erased!(
    /// Any encoder.
    DynEncoder, Encoder
);

/// Settings of an encoder.
#[typetag::serde(tag = "type")]
pub trait EncoderSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// Tokens and width for clips of this shape.
    ///
    /// # Errors
    /// When such clips cannot be encoded.
    fn latents(&self, video: &VideoShape) -> Result<LatentShape, SettingsError>;

    /// Builds the encoder, its parameters not yet started.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(&self, context: &BuildContext) -> Result<DynEncoder, SettingsError>;
}
dyn_clone::clone_trait_object!(EncoderSettings);
