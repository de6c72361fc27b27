//! `i3d` gives the logits of a PyTorch I3D (see `data/i3d.py`), and reads the layouts of both ports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use larp_plugins::features::i3d::{I3dSettings, Layout, TensorValues, units};
use larp_plugins::formula;
use larp_plugins::perceptual::lpips_vgg::WeightSource;
use larp_traits::burn::tensor::TensorData;
use larp_traits::conformance::devices;
use larp_traits::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

#[derive(Deserialize)]
struct Expected {
    shape: [usize; 5],
    logits: Vec<Vec<f32>>,
}

fn expected() -> Expected {
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/i3d.json")).expect("there");
    serde_json::from_slice(&text).expect("logits")
}

fn context(device: &Device) -> BuildContext {
    BuildContext {
        video: VideoShape { channels: 3, frames: 9, height: 20, width: 24 },
        latents: LatentShape { tokens: 1, dim: 1 },
        quantizer: QuantizerShape { vocab_size: 1, code_dim: 1, codebook: false },
        classes: 0,
        device: device.clone(),
    }
}

fn assert_equals_pytorch(settings: &I3dSettings, device: &Device) {
    let Expected { shape, logits } = expected();
    let clips = formula::positive(1000, shape.iter().product());
    let clips = Tensor::<5>::from_data(TensorData::new(clips, shape), device);
    let model = settings.build(&context(device)).expect("built");
    let found = to_host(model.features(clips));
    let expected: Vec<f32> = logits.concat();
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() <= 1e-4 * largest, "logit {index} on {device:?}: {found} against {expected}");
    }
}

#[test]
fn logits_equal_those_of_pytorch() {
    for device in devices() {
        assert_equals_pytorch(&I3dSettings { weights: WeightSource::Formula, path: PathBuf::new() }, &device);
    }
}

/// A file with the weights of the formula in the names of a port, below a prefix.
fn file(path: &Path, layout: Layout, prefix: &str) {
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
    let all = [TensorValues::Kernel, TensorValues::Scale, TensorValues::Offset, TensorValues::Mean, TensorValues::Variance];
    for (index, unit) in units().iter().enumerate() {
        for values in all {
            if unit.is_head() && !matches!(values, TensorValues::Kernel | TensorValues::Offset) {
                continue;
            }
            let size = unit.kernel;
            let shape = match values {
                TensorValues::Kernel => vec![unit.outputs, unit.inputs, size, size, size],
                _ => vec![unit.outputs],
            };
            let number = (5 * index + values as usize) as u32;
            let numbers: Vec<f32> = match values {
                TensorValues::Kernel => formula::of_convolution(number, &shape),
                TensorValues::Scale | TensorValues::Variance => {
                    formula::positive(number, unit.outputs).iter().map(|value| value + 0.5).collect()
                }
                TensorValues::Offset | TensorValues::Mean => formula::symmetric(number, unit.outputs, 0.1),
            };
            let bytes = numbers.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.insert(format!("{prefix}{}", layout.name(unit, values)), (shape, bytes));
        }
    }
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many bytes as the shape says"))
    });
    std::fs::write(path, safetensors::serialize(views, None).expect("serialised")).expect("written");
}

#[test]
fn both_ports_are_read_below_any_prefix() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("i3d.safetensors");
    for (layout, prefix) in [(Layout::Piergiaj, ""), (Layout::Hassony, "model.")] {
        file(&path, layout, prefix);
        let settings = I3dSettings { weights: WeightSource::Published, path: path.clone() };
        assert_eq!(settings.weights_sha256().expect("read").len(), 64);
        // the last device alone: the network is the same, and slow without libtorch
        assert_equals_pytorch(&settings, devices().last().expect("one at least"));
    }
}

#[test]
fn a_missing_file_says_where_it_comes_from() {
    let settings = I3dSettings { weights: WeightSource::Published, path: "no/such/i3d.pt".into() };
    let error = larp_traits::published::check_all(&settings.files()).expect_err("missing").to_string();
    for part in ["no/such/i3d.pt", "is not there", "i3d_torchscript.pt", "`features.path`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let other = tempfile::NamedTempFile::with_suffix(".safetensors").expect("a file");
    let bytes = 1f32.to_le_bytes();
    let view = TensorView::new(Dtype::F32, vec![1], &bytes).expect("one value");
    std::fs::write(other.path(), safetensors::serialize([("conv1.weight", view)], None).expect("serialised")).expect("written");
    let settings = I3dSettings { weights: WeightSource::Published, path: other.path().into() };
    let error = settings.build(&context(&cpu())).expect_err("no I3D").to_string();
    assert!(error.contains("holds no I3D in a known layout"), "{error}");
}
