//! The R1 penalty by central differences against PyTorch's second-order differentiation (`tests/data/r1`).

use std::path::Path;

use larp_plugins::critic::vit::{VitCritic, VitCriticSettings};
use larp_plugins::layers::patchify::Patch;
use larp_plugins::released::{NamedTensor, fill};
use larp_runtime::pipeline::R1Settings;
use larp_runtime::train::critic::gradient_penalty;
use larp_traits::burn::module::{ModuleVisitor, Param};
use larp_traits::burn::tensor::backend::AutodiffBackend;
use larp_traits::prelude::*;
use larp_traits::tensor::TensorData;
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    scores: Vec<f32>,
    penalty: f32,
    parameters: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    path: String,
    shape: Vec<usize>,
    gradient: Vec<f32>,
}

const VIDEO: VideoShape = VideoShape { channels: 3, frames: 4, height: 8, width: 8 };

fn case() -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/r1/vit.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the case")).expect("json")
}

/// As `tests/data/r1/README.md` says.
fn critic(case: &Case, device: &Device) -> DynCritic {
    let patch = Patch { frames: 2, size: 4 };
    let settings = VitCriticSettings { dim: 8, depth: 1, heads: 2, patch, ..Default::default() };
    let context = BuildContext {
        device: device.clone(),
        video: VIDEO,
        latents: LatentShape { tokens: 0, dim: 0 },
        quantizer: QuantizerShape { vocab_size: 0, code_dim: 0, codebook: false },
        classes: 0,
    };
    let tensors = case.parameters.iter().enumerate().map(|(number, parameter)| {
        let one = if parameter.path.ends_with("gamma") { 1.0 } else { 0.0 };
        let value = |i: usize| (0.25 * (1.7 * i as f64 + 0.9 * number as f64).sin() + one) as f32;
        let count = parameter.shape.iter().product();
        NamedTensor { name: parameter.path.clone(), shape: parameter.shape.clone(), values: (0..count).map(value).collect() }
    });
    fill(VitCritic::new(&settings, &context).expect("it fits"), tensors.collect()).expect("every parameter").into()
}

fn video(device: &Device) -> Tensor<5> {
    let pixel = |i: usize| (0.5 + 0.5 * (0.37 * i as f64 + 0.002 * (i as f64).powf(1.3)).sin()) as f32;
    let shape = [2, VIDEO.channels, VIDEO.frames, VIDEO.height, VIDEO.width];
    Tensor::from_data(TensorData::new((0..shape.iter().product()).map(pixel).collect(), shape), device)
}

struct Collect {
    gradients: <Backend as AutodiffBackend>::Gradients,
    found: Vec<Option<Vec<f32>>>,
}

impl ModuleVisitor<Backend> for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(&self.gradients);
        self.found.push(gradient.map(|gradient| gradient.into_data().to_vec().expect("f32")));
    }
}

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

#[rstest]
#[case::flex(cpu())]
#[cfg_attr(feature = "libtorch", case::libtorch(Device::LibTorch(Default::default())))]
#[cfg_attr(feature = "cuda", case::cuda(Device::Cuda(Default::default())))]
fn central_differences_give_the_gradient_of_the_penalty(#[case] device: Device) {
    let case = case();
    let critic = critic(&case, &device);
    let scores = to_host(critic.clone().no_grad().score(video(&device)));
    assert!(scores.iter().zip(&case.scores).all(|(a, b)| (a - b).abs() < 1e-5), "{scores:?}, expected {:?}", case.scores);

    let penalty = gradient_penalty(&critic, video(&device), R1Settings::default().step);
    let value = scalar(penalty.value);
    assert!((value / case.penalty - 1.0).abs() < 1e-4, "{value}, expected {}", case.penalty);

    let mut visitor = Collect { gradients: penalty.surrogate.backward(), found: Vec::new() };
    critic.visit(&mut visitor);
    // of all gradients together: where a parameter's own is near 0, rounding decides
    let whole = norm(case.parameters.iter().flat_map(|parameter| parameter.gradient.iter().copied()));
    for (found, expected) in visitor.found.into_iter().zip(&case.parameters) {
        let found = found.unwrap_or_else(|| panic!("`{}` has no gradient", expected.path));
        let difference = norm(found.iter().zip(&expected.gradient).map(|(a, b)| a - b));
        let size = norm(expected.gradient.iter().copied());
        println!("{:40} {difference:.1e} of {size:.1e}", expected.path);
        assert!(difference <= 1e-3 * size + 1e-4 * whole, "`{}`: {difference:e} of {size:e}, of {whole:e}", expected.path);
    }
}
