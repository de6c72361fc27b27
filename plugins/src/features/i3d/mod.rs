//! `i3d`: Inception-v1 I3D (Carreira and Zisserman, 2017) on Kinetics-400, the network of FVD (Unterthiner et al., 2019; departure 16).
//!
//! Pictures are resized to 224 x 224 and scaled to [-1, 1]; the features are the 400 logits, averaged over time.

mod names;
mod network;

use std::path::PathBuf;

use larp_traits::prelude::*;
use larp_traits::published::{PublishedFile, cache_file, sha256};
use sha2::{Digest, Sha256};

pub use names::Layout;
pub use network::{CLASSES, I3d, SHORTEST, TensorValues, Unit, units};

use crate::formula;
use crate::perceptual::lpips_vgg::WeightSource;
use crate::weights::Tensors;

/// Settings of [`I3d`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct I3dSettings {
    /// `published`, or `formula`: made-up weights for tests.
    pub weights: WeightSource,
    /// The file, with the names of one of the PyTorch ports ([`Layout`]) below any prefix: `.pt`, `.pth`, `.safetensors`, or a TorchScript
    /// archive, of which the tensors alone are read. Empty is `larp/i3d_torchscript.pt` in the cache folder.
    pub path: PathBuf,
}

register!(
    Features,
    "i3d",
    I3dSettings,
    "I3D on Kinetics-400, its logits: the network of FVD",
    "Carreira and Zisserman, 2017; Unterthiner et al., 2019"
);

impl I3dSettings {
    fn file(&self) -> PublishedFile {
        let chosen = !self.path.as_os_str().is_empty();
        PublishedFile {
            what: "I3D on Kinetics-400",
            key: "features.path",
            path: if chosen { self.path.clone() } else { cache_file("i3d_torchscript.pt") },
            chosen,
            source: "https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1",
            // its publishers give neither; the card of a result has the hash of the file that was used
            digest: None,
        }
    }
}

#[typetag::serde(name = "i3d")]
impl FeaturesSettings for I3dSettings {
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError> {
        if self.weights == WeightSource::Formula && !self.path.as_os_str().is_empty() {
            let found = self.path.display();
            return Err(SettingsError::value(
                "features.path",
                found,
                "`weights = \"formula\"` reads no file; leave one of the two out",
            ));
        }
        if video.channels != 3 || video.frames < SHORTEST {
            let found = format!("clips of {} channels and {} frames", video.channels, video.frames);
            let expected = format!("`i3d` (3 channels, at least {SHORTEST} frames)");
            return Err(SettingsError::mismatch(found, expected, "take longer clips, or a protocol with `small3d`"));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PublishedFile> {
        match self.weights {
            WeightSource::Published => vec![self.file()],
            WeightSource::Formula => Vec::new(),
        }
    }

    fn dim(&self) -> usize {
        CLASSES
    }

    fn distance_name(&self) -> String {
        match self.weights {
            WeightSource::Published => "FVD".into(),
            WeightSource::Formula => "FVD-made-up-i3d".into(),
        }
    }

    fn weights_sha256(&self) -> Result<String, SettingsError> {
        match self.weights {
            WeightSource::Published => {
                let path = self.file().path;
                sha256(&path).map_err(|error| SettingsError::file("features.path", format!("`{}`: {error}", path.display())))
            }
            WeightSource::Formula => {
                Ok(Sha256::digest("i3d by the formula, version 1").iter().map(|byte| format!("{byte:02x}")).collect())
            }
        }
    }

    fn build(&self, context: &BuildContext) -> Result<DynFeatures, SettingsError> {
        self.check(&context.video)?;
        let model = match self.weights {
            WeightSource::Published => {
                let file = self.file();
                let tensors = Tensors::open(file.key, &file.path)?;
                let (layout, prefix) = Layout::of(tensors.names()).ok_or_else(|| {
                    let message = format!("`{}` holds no I3D in a known layout", file.path.display());
                    SettingsError::file(file.key, message)
                })?;
                I3d::new(
                    |unit, values, shape| tensors.get(&format!("{prefix}{}", layout.name(unit, values)), shape),
                    &context.device,
                )?
            }
            WeightSource::Formula => made_up(&context.device),
        };
        Ok(model.into())
    }
}

/// With weights by the formula: five tensors a unit, in the order of [`TensorValues`].
fn made_up(device: &Device) -> I3d {
    let names: Vec<&str> = units().into_iter().map(|unit| unit.name).collect();
    let values = |unit: &Unit, values: TensorValues, shape: &[usize]| {
        let index = names.iter().position(|name| *name == unit.name).unwrap_or_default();
        let (number, count) = ((5 * index + values as usize) as u32, shape.iter().product());
        Ok::<_, std::convert::Infallible>(match values {
            TensorValues::Kernel => formula::of_convolution(number, shape),
            TensorValues::Scale | TensorValues::Variance => {
                formula::positive(number, count).into_iter().map(|value| value + 0.5).collect()
            }
            TensorValues::Offset | TensorValues::Mean => formula::symmetric(number, count, 0.1),
        })
    };
    let Ok(model) = I3d::new(values, device);
    model
}
