//! Trains the feature network `small3d` on the motions of the procedural clips and writes its weights:
//! `cargo run --release -p larp-tests --example train_small3d --features libtorch -- plugins/data/small3d.safetensors [STEPS]`.

use std::collections::BTreeMap;
use std::error::Error;

use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use larp_plugins::features::small3d::{CLASSES, CONVS, DIM, forward};
use larp_runtime::clip::ClipShape;
use larp_runtime::convert::to_tensor;
use larp_runtime::data::{DataSettings, Dataset, Split, Window};
use larp_runtime::device;
use larp_traits::burn::tensor::{TensorData, activation};
use larp_traits::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

const SEED: u64 = 0;
const BATCH: usize = 64;
const LEARNING_RATE: f64 = 2e-3;

#[derive(Component, Debug)]
struct Net {
    kernels: Vec<Param<Tensor<5>>>,
    biases: Vec<Param<Tensor<1>>>,
    head: Param<Tensor<2>>,
    head_bias: Param<Tensor<1>>,
}

impl Net {
    fn new(device: &Device) -> Self {
        let kernel = |[inputs, outputs]: [usize; 2]| {
            init::param([outputs, inputs, 3, 3, 3], Init::Normal { std: (2.0 / (27.0 * inputs as f64)).sqrt() }, device)
        };
        let net = Self {
            kernels: CONVS.iter().map(|(channels, _)| kernel(*channels)).collect(),
            biases: CONVS.iter().map(|([_, outputs], _)| init::param([*outputs], Init::Zeros, device)).collect(),
            head: init::param([DIM, CLASSES], Init::Normal { std: 0.1 }, device),
            head_bias: init::param([CLASSES], Init::Zeros, device),
        };
        params::materialize(net, SEED)
    }

    fn logits(&self, clips: Tensor<5>) -> Tensor<2> {
        let kernels: Vec<_> = self.kernels.iter().map(|kernel| kernel.val()).collect();
        let biases: Vec<_> = self.biases.iter().map(|bias| bias.val()).collect();
        matmul(forward(clips, &kernels, &biases), self.head.val()) + self.head_bias.val().reshape([1, CLASSES])
    }
}

fn batch(data: &dyn Dataset, split: Split, first: usize, device: &Device) -> Result<(Tensor<5>, Vec<i32>), Box<dyn Error>> {
    let samples = (first..first + BATCH).map(|index| data.sample(split, index, Window::Fixed)).collect::<Result<Vec<_>, _>>()?;
    let labels = samples.iter().map(|sample| sample.label.map_or(0, |label| label as i32)).collect();
    Ok((to_tensor(samples.iter().map(|sample| &sample.clip), device), labels))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name the file to write")?;
    let steps: usize = arguments.next().map_or(Ok(300), |text| text.parse())?;
    let device = device::parse(if cfg!(feature = "libtorch") { "libtorch" } else { "cpu" })?;
    let data = DataSettings::default().open(ClipShape { frames: 8, height: 32, width: 32 })?;
    let mut net = Net::new(&device);
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.01).init();
    for step in 0..steps {
        let (clips, labels) = batch(data.as_ref(), Split::Train, step * BATCH % 90_000, &device)?;
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [BATCH]), &device).reshape([BATCH, 1]);
        let loss = -activation::log_softmax(net.logits(clips), 1).gather(1, labels).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        let rate = LEARNING_RATE * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / steps as f64).cos());
        net = optimizer.step(rate, net, gradients);
        if step % 100 == 0 || step + 1 == steps {
            println!("step {step}: loss {:.4}", scalar(loss));
        }
    }
    let (mut right, mut count) = (0, 0);
    for first in (0..768).step_by(BATCH) {
        let (clips, labels) = batch(data.as_ref(), Split::Test, first, &device)?;
        let guesses = ints_to_host(net.logits(clips).argmax(1));
        right += guesses.iter().zip(&labels).filter(|(guess, label)| **guess == i64::from(**label)).count();
        count += labels.len();
    }
    println!("{right} of {count} held-out clips are known");
    let mut tensors = BTreeMap::new();
    for (index, kernel) in net.kernels.iter().enumerate() {
        tensors.insert(format!("kernels.{index}"), (kernel.dims().to_vec(), to_host(kernel.val())));
        tensors.insert(format!("biases.{index}"), (net.biases[index].dims().to_vec(), to_host(net.biases[index].val())));
    }
    tensors.insert("head".into(), (vec![DIM, CLASSES], to_host(net.head.val())));
    tensors.insert("head_bias".into(), (vec![CLASSES], to_host(net.head_bias.val())));
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, (shape, values))| (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    std::fs::write(&path, safetensors::serialize(views, None)?)?;
    Ok(())
}
