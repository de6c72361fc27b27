//! What a frozen network sees in a clip: the features of Fréchet distances (FVD: Unterthiner et al., 2019).

use crate::component::Component;
use crate::context::BuildContext;
use crate::error::SettingsError;
use crate::published::PublishedFile;
use crate::shapes::VideoShape;
use crate::tensor::Tensor;

/// Describes clips by vectors, so that sets of clips can be compared by the distribution of theirs.
///
/// Its weights are [`Fixed`](crate::Fixed). It is no part of a pipeline: a protocol of `eval` names it.
pub trait Features: Component + Sync {
    /// A vector for each clip, which does not depend on the other clips of the batch.
    ///
    /// # Shapes
    /// - clips: `[batch, channels, frames, height, width]`, in [0, 1]
    /// - output: `[batch, dim]`
    fn features(&self, clips: Tensor<5>) -> Tensor<2>;
}

crate::erased!(
    /// Any feature network.
    DynFeatures, Features
);

/// Settings of a feature network.
#[typetag::serde(tag = "type")]
pub trait FeaturesSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// Checks that it can describe clips of this shape; no file is opened.
    ///
    /// # Errors
    /// When it cannot, or the settings contradict each other.
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError>;

    /// The files that [`build`](Self::build) reads, whether they are there or not.
    fn files(&self) -> Vec<PublishedFile> {
        Vec::new()
    }

    /// Values a clip.
    fn dim(&self) -> usize;

    /// What the Fréchet distance over these features is called: `FVD` is the one over the published I3D, and no other.
    fn distance_name(&self) -> String;

    /// SHA-256 of the weights, in hexadecimal.
    ///
    /// # Errors
    /// When their file cannot be read.
    fn weights_sha256(&self) -> Result<String, SettingsError>;

    /// Builds the network with its weights.
    ///
    /// # Errors
    /// When the settings cannot work, or a file does not hold what it should.
    fn build(&self, context: &BuildContext) -> Result<DynFeatures, SettingsError>;
}
dyn_clone::clone_trait_object!(FeaturesSettings);
