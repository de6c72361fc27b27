//! How different two clips look to a frozen network (paper, appendix A.1: LPIPS).

use crate::component::Component;
use crate::context::BuildContext;
use crate::error::SettingsError;
use crate::published::PublishedFile;
use crate::shapes::VideoShape;
use crate::tensor::Tensor;

/// Compares clips by what a network sees in them.
///
/// The network is a yardstick: its weights are [`Fixed`](crate::Fixed), so they are not trained, saved with a checkpoint or counted.
/// `Sync`, because the passes of a training step share it.
pub trait Perceptual: Component + Sync {
    /// The distance of each pair, not negative and 0 for equal clips; its gradient goes to both inputs. The network computes in the
    /// dtype of its inputs, the distance is `f32`.
    ///
    /// # Shapes
    /// - a and b: `[batch, channels, frames, height, width]`, in [0, 1]
    /// - output: `[batch]`
    fn distance(&self, a: Tensor<5>, b: Tensor<5>) -> Tensor<1>;
}

crate::erased!(
    /// Any perceptual distance.
    DynPerceptual, Perceptual
);

/// Settings of a perceptual distance.
#[typetag::serde(tag = "type")]
pub trait PerceptualSettings: std::fmt::Debug + Send + Sync + dyn_clone::DynClone {
    /// Checks that clips of this shape can be compared; no file is opened.
    ///
    /// # Errors
    /// When they cannot, or the settings contradict each other.
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError>;

    /// The files that [`build`](Self::build) reads, whether they are there or not.
    fn files(&self) -> Vec<PublishedFile> {
        Vec::new()
    }

    /// Builds the network with its weights.
    ///
    /// # Errors
    /// When the settings cannot work, or a file does not hold what it should.
    fn build(&self, context: &BuildContext) -> Result<DynPerceptual, SettingsError>;
}
dyn_clone::clone_trait_object!(PerceptualSettings);
