//! `lpips-vgg` gives the numbers of the Python package `lpips` (see `data/lpips_vgg.py`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use larp_plugins::formula;
use larp_plugins::perceptual::lpips_vgg::LpipsVgg;
use larp_plugins::perceptual::vgg::Vgg16;
#[cfg(feature = "libtorch")]
use larp_traits::burn::tensor::DType;
use larp_traits::burn::tensor::TensorData;
use larp_traits::conformance::compare::assert_close;
use larp_traits::conformance::devices;
use larp_traits::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

const SHAPE: [usize; 5] = [2, 3, 2, 20, 24];

/// The made-up clip with this number.
fn clips(number: u32, device: &Device) -> Tensor<5> {
    Tensor::from_data(TensorData::new(formula::positive(number, SHAPE.iter().product()), SHAPE), device)
}

/// Values of the package.
fn expected(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lpips_vgg.safetensors")).expect("there");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let tensor = file.tensor(name).expect("a tensor of the script");
    tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes"))).collect()
}

fn assert_equals_the_package(model: &dyn Perceptual, case: &str, device: &Device) {
    let a = clips(1000, device).require_grad();
    let distance = model.distance(a.clone(), clips(1001, device));
    let gradient = a.grad(&distance.clone().sum().backward()).expect("the gradient arrives");
    assert_close(&format!("{case} distances on {device:?}"), &expected(&format!("{case}.distance")), &to_host(distance), 2e-6);
    let expected = expected(&format!("{case}.gradient"));
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let scaled = |values: Vec<f32>| values.into_iter().map(|value| value / largest).collect::<Vec<_>>();
    let found = scaled(to_host(Tensor::<5>::from_inner(gradient)));
    // an activation on the other side of a kink moves its neighbours
    assert_close(&format!("{case} gradients over their largest on {device:?}"), &scaled(expected), &found, 1e-4);
}

#[test]
fn distances_and_gradients_are_those_of_the_package_on_weights_by_formula() {
    for device in devices() {
        assert_equals_the_package(&LpipsVgg::made_up(&device), "formula", &device);
    }
}

/// The formula's backbone as a file; the settings take it as the published one is taken.
fn backbone_file(folder: &Path) -> PathBuf {
    let mut tensors = BTreeMap::new();
    let mut number = 0;
    let keep = |name: &str, shape: &[usize]| {
        let values = formula::of_convolution(number, shape);
        number += 1;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensors.insert(name.to_owned(), (shape.to_vec(), bytes));
        Ok::<_, std::convert::Infallible>(values)
    };
    let Ok(_) = Vgg16::new(keep, &cpu());
    write(&folder.join("backbone.safetensors"), &tensors)
}

fn write(path: &Path, tensors: &BTreeMap<String, (Vec<usize>, Vec<u8>)>) -> PathBuf {
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many as the shape says"))
    });
    safetensors::serialize_to_file(views, None, path).expect("written");
    path.to_owned()
}

fn build(backbone: &Path, heads: &Path, device: &Device) -> Result<DynPerceptual, SettingsError> {
    let text = format!("type = \"lpips-vgg\"\nbackbone = {backbone:?}\nheads = {heads:?}");
    let settings: Box<dyn PerceptualSettings> = text.parse::<toml::Table>().expect("TOML").try_into().expect("settings");
    let [_, channels, frames, height, width] = SHAPE;
    settings.build(&BuildContext {
        device: device.clone(),
        video: VideoShape { channels, frames, height, width },
        latents: LatentShape { tokens: 1, dim: 1 },
        quantizer: QuantizerShape { vocab_size: 2, code_dim: 1, codebook: true },
        classes: 0,
    })
}

/// The heads cannot be committed here: `LARP_LPIPS_HEADS` names the file in the package's wheel, as `.ci/run` does.
#[test]
fn distances_and_gradients_are_those_of_the_package_with_its_real_heads() {
    let Some(heads) = std::env::var_os("LARP_LPIPS_HEADS").map(PathBuf::from) else {
        println!("`LARP_LPIPS_HEADS` is not set: the real heads are not compared");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let backbone = backbone_file(folder.path());
    for device in devices() {
        let model = build(&backbone, &heads, &device).unwrap_or_else(|error| panic!("{error}"));
        assert_equals_the_package(&*model, "real_heads", &device);
    }
}

#[test]
fn weights_of_files_are_those_of_the_formula_and_misfits_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let backbone = backbone_file(folder.path());
    let head = |index: usize, channels: usize| {
        let values = formula::positive(26 + index as u32, channels);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (format!("lin{index}.model.1.weight"), (vec![1, channels, 1, 1], bytes))
    };
    let mut heads: BTreeMap<_, _> = [64, 128, 256, 512, 512].into_iter().enumerate().map(|(i, c)| head(i, c)).collect();
    let good = write(&folder.path().join("heads.safetensors"), &heads);
    let model = build(&backbone, &good, &cpu()).unwrap_or_else(|error| panic!("{error}"));
    assert_equals_the_package(&*model, "formula", &cpu());

    heads.insert(head(4, 8).0, head(4, 8).1);
    let error = |heads: &Path| build(&backbone, heads, &cpu()).map(drop).expect_err("it does not fit").to_string();
    let misshaped = error(&write(&folder.path().join("misshaped.safetensors"), &heads));
    for part in ["misshaped.safetensors", "`perceptual.heads`", "`lin4.model.1.weight`", "[1, 8, 1, 1]", "[1, 512, 1, 1]"] {
        assert!(misshaped.contains(part), "{part}: {misshaped}");
    }
    heads.remove("lin2.model.1.weight");
    let missing = error(&write(&folder.path().join("missing.safetensors"), &heads));
    assert!(missing.contains("`lin2.model.1.weight`"), "{missing}");
    assert!(error(&folder.path().join("nothing.safetensors")).contains("nothing.safetensors"));
}

/// In bfloat16 the network computes so, and the distance is that of float32 to two digits. Flex has no such convolution.
#[test]
#[cfg(feature = "libtorch")]
fn in_bfloat16_the_distance_is_nearly_the_same() {
    let device = devices().pop().expect("libtorch");
    let model = LpipsVgg::made_up(&device);
    let a = clips(1000, &device).cast(DType::BF16).require_grad();
    let distance = model.distance(a.clone(), clips(1001, &device).cast(DType::BF16));
    assert_eq!(distance.dtype(), DType::F32);
    let gradient = a.grad(&distance.clone().sum().backward()).expect("the gradient arrives");
    assert_eq!(gradient.dtype(), DType::BF16);
    for (found, expected) in to_host(distance).into_iter().zip(expected("formula.distance")) {
        assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}");
    }
}
