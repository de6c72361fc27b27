//! `small3d`: a small 3D convolutional network that tells the motions of the procedural clips apart.
//!
//! It makes a Fréchet distance work with nothing to download. Its distance is called `FVD-small3d`: it can be compared with itself alone,
//! and says little of clips that are unlike the procedural ones. The weights come from
//! `cargo run --release -p larp-tests --example train_small3d --features libtorch -- plugins/data/small3d.safetensors`.

use larp_traits::burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use larp_traits::burn::tensor::{DType, activation, module};
use larp_traits::prelude::*;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

/// Height and width of the pictures it sees.
pub const SIDE: usize = 32;
/// Values a clip: the channels of the last convolution.
pub const DIM: usize = 64;
/// Motions that the head knows.
pub const CLASSES: usize = 12;
/// Input and output channels of each convolution, and its strides along time and along the sides.
pub const CONVS: [([usize; 2], [usize; 3]); 4] =
    [([3, 16], [1, 2, 2]), ([16, 32], [2, 2, 2]), ([32, 64], [2, 2, 2]), ([64, DIM], [1, 1, 1])];

const WEIGHTS: &[u8] = include_bytes!("../../data/small3d.safetensors");

/// Settings of [`Small3d`]: there is nothing to set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Small3dSettings {}

register!(
    Features,
    "small3d",
    Small3dSettings,
    "a small 3D network that knows the motions of the procedural clips; its distance is FVD-small3d",
    "weights of this project"
);

#[typetag::serde(name = "small3d")]
impl FeaturesSettings for Small3dSettings {
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError> {
        if video.channels != 3 {
            let found = format!("clips of {} channels", video.channels);
            return Err(SettingsError::mismatch(found, "`small3d` (3 channels)", "take colour clips"));
        }
        Ok(())
    }

    fn dim(&self) -> usize {
        DIM
    }

    fn distance_name(&self) -> String {
        "FVD-small3d".into()
    }

    fn weights_sha256(&self) -> Result<String, SettingsError> {
        Ok(Sha256::digest(WEIGHTS).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn build(&self, context: &BuildContext) -> Result<DynFeatures, SettingsError> {
        self.check(&context.video)?;
        Ok(Small3d::new(&context.device).into())
    }
}

/// The network.
#[derive(Component, Debug)]
pub struct Small3d {
    /// `[outputs, inputs, 3, 3, 3]` each.
    kernels: Vec<Fixed<5>>,
    /// `[outputs]` each.
    biases: Vec<Fixed<1>>,
    /// `[DIM, CLASSES]`.
    head: Fixed<2>,
    /// `[CLASSES]`.
    head_bias: Fixed<1>,
}

impl Small3d {
    /// With the weights of this crate.
    ///
    /// # Panics
    /// Never: the weights are part of the program.
    pub fn new(device: &Device) -> Self {
        let file = SafeTensors::deserialize(WEIGHTS).expect("the weights are a safetensors file");
        let values = |name: &str| -> Vec<f32> {
            let view = file.tensor(name).expect("every tensor is there");
            view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
        };
        let (mut kernels, mut biases) = (Vec::new(), Vec::new());
        for (index, ([inputs, outputs], _)) in CONVS.into_iter().enumerate() {
            kernels.push(Fixed::new(values(&format!("kernels.{index}")), [outputs, inputs, 3, 3, 3], device));
            biases.push(Fixed::new(values(&format!("biases.{index}")), [outputs], device));
        }
        let head = Fixed::new(values("head"), [DIM, CLASSES], device);
        Self { kernels, biases, head, head_bias: Fixed::new(values("head_bias"), [CLASSES], device) }
    }

    /// Scores of the motions.
    ///
    /// # Shapes
    /// - clips: `[batch, 3, frames, height, width]`, in [0, 1]
    /// - output: `[batch, CLASSES]`
    pub fn logits(&self, clips: Tensor<5>) -> Tensor<2> {
        let head = untracked(self.head.val());
        matmul(self.features(clips), head) + untracked(self.head_bias.val()).reshape([1, CLASSES])
    }
}

impl Features for Small3d {
    fn features(&self, clips: Tensor<5>) -> Tensor<2> {
        let kernels: Vec<Tensor<5>> = self.kernels.iter().map(|kernel| untracked(kernel.val())).collect();
        let biases: Vec<Tensor<1>> = self.biases.iter().map(|bias| untracked(bias.val())).collect();
        forward(clips, &kernels, &biases)
    }
}

/// The features with any weights; training uses it too.
///
/// # Shapes
/// - clips: `[batch, 3, frames, height, width]`, in [0, 1]
/// - kernels and biases: as [`CONVS`] says
/// - output: `[batch, DIM]`
pub fn forward(clips: Tensor<5>, kernels: &[Tensor<5>], biases: &[Tensor<1>]) -> Tensor<2> {
    let mut x = resized(clips.cast(DType::F32)) * 2.0 - 1.0;
    for ((kernel, bias), (_, stride)) in kernels.iter().zip(biases).zip(CONVS) {
        let options = ConvOptions::new(stride, [1, 1, 1], [1, 1, 1], 1);
        x = activation::relu(module::conv3d(x, kernel.clone(), Some(bias.clone()), options));
    }
    x.mean_dims(&[2, 3, 4]).flatten::<2>(1, 4)
}

fn resized(clips: Tensor<5>) -> Tensor<5> {
    let [batch, channels, frames, height, width] = clips.dims();
    if (height, width) == (SIDE, SIDE) {
        return clips;
    }
    let planes = clips.reshape([batch * channels, frames, height, width]);
    let options = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false);
    module::interpolate(planes, [SIDE, SIDE], options).reshape([batch, channels, frames, SIDE, SIDE])
}
