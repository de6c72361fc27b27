//! `lpips-vgg`: learned perceptual image patch similarity (Zhang et al., 2018), version 0.1 on VGG-16: what the paper trains with and
//! reports.
//!
//! Features of both images at five depths, each scaled to length 1 over its channels; their squared differences, weighted a channel
//! and averaged over the picture; summed over the depths. The distance of clips is the mean over their frames.

use std::path::{Path, PathBuf};

use larp_traits::burn::tensor::DType;
use larp_traits::prelude::*;
use larp_traits::published::{FileDigest, PublishedFile, cache_file};

use super::vgg::{CHANNELS, SMALLEST, Vgg16, constant, convolutions};
use crate::formula;
use crate::weights::Tensors;

/// Images that go through the network at once: bounds the memory where no gradient is kept.
const IMAGES: usize = 32;

/// The `ScalingLayer` of the Python package, on values in [-1, 1].
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];

/// Where the weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightSource {
    /// The published ones: VGG-16 of torchvision (ImageNet) and the linear heads of the Python package `lpips`, version 0.1.
    #[default]
    Published,
    /// Made-up ones, from no file, for tests: see [`formula`].
    Formula,
}

/// Settings of [`LpipsVgg`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LpipsVggSettings {
    /// `published`, or `formula`: made-up weights for tests.
    pub weights: WeightSource,
    /// The file of VGG-16, `.pth` or `.safetensors` with torchvision's names; empty is `larp/vgg16-397923af.pth` in the cache folder.
    pub backbone: PathBuf,
    /// The file of the linear heads, `.pth` or `.safetensors` with the names of `lpips`; empty is `larp/lpips-v0.1-vgg.pth` in the
    /// cache folder.
    pub heads: PathBuf,
}

register!(
    Perceptual,
    "lpips-vgg",
    LpipsVggSettings,
    "LPIPS 0.1: weighted differences of VGG-16 features, mean over the frames",
    "Zhang et al., 2018; LARP, appendix A.1"
);

impl LpipsVggSettings {
    fn backbone_file(&self) -> PublishedFile {
        let (path, chosen) = chosen_or_cached(&self.backbone, "vgg16-397923af.pth");
        PublishedFile {
            what: "VGG-16 of torchvision",
            key: "perceptual.backbone",
            path,
            chosen,
            source: "https://download.pytorch.org/models/vgg16-397923af.pth",
            digest: Some(FileDigest {
                bytes: 553_433_881,
                sha256: "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            }),
        }
    }

    fn heads_file(&self) -> PublishedFile {
        let (path, chosen) = chosen_or_cached(&self.heads, "lpips-v0.1-vgg.pth");
        PublishedFile {
            what: "the linear heads of LPIPS 0.1 for VGG",
            key: "perceptual.heads",
            path,
            chosen,
            source: "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1/vgg.pth",
            digest: Some(FileDigest { bytes: 7289, sha256: "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868" }),
        }
    }

    fn refuse_paths(&self) -> Result<(), SettingsError> {
        for (key, path) in [("perceptual.backbone", &self.backbone), ("perceptual.heads", &self.heads)] {
            if self.weights == WeightSource::Formula && !path.as_os_str().is_empty() {
                let found = path.display();
                return Err(SettingsError::value(key, found, "`weights = \"formula\"` reads no file; leave one of the two out"));
            }
        }
        Ok(())
    }
}

fn chosen_or_cached(path: &Path, name: &str) -> (PathBuf, bool) {
    if path.as_os_str().is_empty() { (cache_file(name), false) } else { (path.to_owned(), true) }
}

#[typetag::serde(name = "lpips-vgg")]
impl PerceptualSettings for LpipsVggSettings {
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError> {
        self.refuse_paths()?;
        if video.channels != 3 || video.height.min(video.width) < SMALLEST {
            let found = format!("a clip of {} x {} x {}", video.channels, video.height, video.width);
            let expected = format!("`lpips-vgg` (3 channels, at least {SMALLEST} x {SMALLEST})");
            return Err(SettingsError::mismatch(found, expected, "take larger clips, or `perceptual = \"none\"`"));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PublishedFile> {
        match self.weights {
            WeightSource::Published => vec![self.backbone_file(), self.heads_file()],
            WeightSource::Formula => Vec::new(),
        }
    }

    fn build(&self, context: &BuildContext) -> Result<DynPerceptual, SettingsError> {
        self.check(&context.video)?;
        let model = match self.weights {
            WeightSource::Published => {
                let (backbone, heads) = (self.backbone_file(), self.heads_file());
                let backbone = Tensors::open(backbone.key, &backbone.path)?;
                let heads = Tensors::open(heads.key, &heads.path)?;
                LpipsVgg::new(|name, shape| backbone.get(name, shape), |name, shape| heads.get(name, shape), &context.device)?
            }
            WeightSource::Formula => LpipsVgg::made_up(&context.device),
        };
        Ok(model.into())
    }
}

/// The distance.
#[derive(Component, Debug)]
pub struct LpipsVgg {
    backbone: Vgg16,
    /// Weights of the channels of each depth, `[1, channels, 1, 1]`.
    heads: Vec<Fixed<4>>,
    /// From [0, 1] to what the network was trained on: `x * gain + offset`, `[1, 3, 1, 1, 1]` each.
    gain: Fixed<5>,
    offset: Fixed<5>,
}

impl LpipsVgg {
    /// With the tensors that `backbone` and `heads` give for the names and shapes of torchvision and `lpips`.
    ///
    /// # Errors
    /// Those of the two.
    pub fn new<E>(
        backbone: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
        mut heads: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
        device: &Device,
    ) -> Result<Self, E> {
        let head = |(index, channels): (usize, usize)| {
            let shape = [1, channels, 1, 1];
            Ok(Fixed::new(heads(&format!("lin{index}.model.1.weight"), &shape)?, shape, device))
        };
        let heads = CHANNELS.into_iter().enumerate().map(head).collect::<Result<_, E>>()?;
        let colours = |value: fn(usize) -> f32| Fixed::new((0..3).map(value).collect(), [1, 3, 1, 1, 1], device);
        let (gain, offset) = (colours(|c| 2.0 / SCALE[c]), colours(|c| -(1.0 + SHIFT[c]) / SCALE[c]));
        Ok(Self { backbone: Vgg16::new(backbone, device)?, heads, gain, offset })
    }

    /// With made-up weights: see [`formula`].
    pub fn made_up(device: &Device) -> Self {
        let mut number = 0;
        let mut backbone = |_: &str, shape: &[usize]| {
            number += 1;
            Ok::<_, std::convert::Infallible>(formula::of_convolution(number - 1, shape))
        };
        let mut head_number = 2 * convolutions().len() as u32;
        let heads = |_: &str, shape: &[usize]| {
            head_number += 1;
            Ok(formula::positive(head_number - 1, shape.iter().product()))
        };
        let Ok(model) = Self::new(&mut backbone, heads, device);
        model
    }

    /// # Shapes
    /// - images a and b: `[batch, 3, height, width]`, as the network was trained on
    /// - output: `[batch]`
    fn of_images(&self, a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
        let depths = self.backbone.features(a).into_iter().zip(self.backbone.features(b)).zip(&self.heads);
        let terms = depths.map(|((a, b), head)| {
            let weighted = (unit_length(a) - unit_length(b)).square() * constant(head, DType::F32);
            weighted.sum_dim(1).mean_dims(&[2, 3]).flatten::<1>(0, 3)
        });
        terms.reduce(|sum, term| sum + term).expect("there are five depths")
    }
}

/// Scales the channels at each place to length 1, in `f32`.
fn unit_length(features: Tensor<4>) -> Tensor<4> {
    let features = features.cast(DType::F32);
    // where all channels are 0 the root alone would have an infinite slope; 1e-10 is the package's
    let length = features.clone().square().sum_dim(1).clamp_min(1e-24).sqrt().add_scalar(1e-10);
    features / length
}

impl Perceptual for LpipsVgg {
    fn distance(&self, a: Tensor<5>, b: Tensor<5>) -> Tensor<1> {
        let [batch, channels, frames, height, width] = a.dims();
        let images = |clips: Tensor<5>| {
            // before the axes are swapped: burn-tch forgets that a swapped tensor shares its memory, and would scale the caller's clips
            let (dtype, clips) = (clips.dtype(), clips.cast(DType::F32));
            let scaled = clips * constant(&self.gain, DType::F32) + constant(&self.offset, DType::F32);
            scaled.cast(dtype).swap_dims(1, 2).reshape([batch * frames, channels, height, width]).split(IMAGES, 0).into_iter()
        };
        let parts = images(a).zip(images(b)).map(|(a, b)| self.of_images(a, b)).collect();
        Tensor::cat(parts, 0).reshape([batch, frames]).mean_dim(1).flatten(0, 1)
    }
}
