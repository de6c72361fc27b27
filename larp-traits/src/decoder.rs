//! Embeddings to clips.

use crate::component::Component;
use crate::context::BuildContext;
use crate::error::SettingsError;
use crate::shapes::{LatentShape, VideoShape};
use crate::tensor::Tensor;

/// Turns embedded tokens back into clips.
pub trait Decoder: Component {
    /// Decodes clips.
    ///
    /// # Shapes
    /// - embeddings: `[batch, tokens, dim]`
    /// - output: `[batch, channels, frames, height, width]`, near [0, 1] but not clamped
    fn decode(&self, embeddings: Tensor<3>) -> Tensor<5>;

    /// Dotted path, within the decoder, of the weight of its last layer: where losses are balanced by their gradients (Esser et al.,
    /// 2021, equation 7). `None` when it has no such layer.
    fn last_layer(&self) -> Option<&'static str> {
        None
    }
}

crate::erased!(
    /// Any decoder.
    DynDecoder, Decoder
);

/// Settings of a decoder.
#[typetag::serde(tag = "type")]
pub trait DecoderSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// The embeddings it takes, for clips of this shape and `tokens` tokens.
    ///
    /// # Errors
    /// When it cannot decode such clips from that many tokens.
    fn latents(&self, video: &VideoShape, tokens: usize) -> Result<LatentShape, SettingsError>;

    /// Builds the decoder, its parameters not yet started.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(&self, context: &BuildContext) -> Result<DynDecoder, SettingsError>;
}
dyn_clone::clone_trait_object!(DecoderSettings);
