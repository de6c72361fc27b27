//! What a part knows of the others when it is built.

use crate::shapes::{LatentShape, QuantizerShape, VideoShape};
use crate::tensor::Device;

/// Sizes that the pipeline has settled before it builds a part.
#[derive(Debug, Clone)]
pub struct BuildContext {
    /// Where the parameters live.
    pub device: Device,
    /// The clips.
    pub video: VideoShape,
    /// What the encoder gives; for the decoder, what it takes.
    pub latents: LatentShape,
    /// Codes and their width.
    pub quantizer: QuantizerShape,
    /// Number of classes of the data; 0 without labels.
    pub classes: usize,
}
