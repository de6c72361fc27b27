//! Time and peak memory of attention, forward and backward: our own against the chain of single operations.
//!
//! `cargo bench -p larp-benches --bench attention [--features libtorch]`. Each measurement is a process of its own, so that its
//! peak memory is its own.
#![recursion_limit = "256"]

use std::process::Command;
use std::time::Instant;

use larp_plugins::layers::attention::{AttentionInput, Mask, attention, naive_attention};
use larp_traits::tensor::{cpu, scalar};
use larp_traits::{Device, Draw, Stream, Tensor};

const SHAPE: [usize; 4] = [1, 12, 2048, 64];
const ROUNDS: usize = 5;

fn device(name: &str) -> Device {
    match name {
        #[cfg(feature = "libtorch")]
        "libtorch" => Device::LibTorch(burn_tch::LibTorchDevice::Cpu),
        _ => cpu(),
    }
}

fn devices() -> Vec<&'static str> {
    if cfg!(feature = "libtorch") { vec!["cpu", "libtorch"] } else { vec!["cpu"] }
}

/// Median seconds of forward and backward, and peak memory in MiB.
fn measure(kind: &str, device: &Device) -> (f64, f64) {
    let draw = |name| Stream::new(1).fork(name).normal(SHAPE, device);
    let [query, key, value] = ["q", "k", "v"].map(|name| draw(name).require_grad());
    let weight = draw("w");
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let input = AttentionInput { query: query.clone(), key: key.clone(), value: value.clone() };
            let output: Tensor<4> = match kind {
                "naive" => naive_attention(input, Mask::Full, 0.0, Draw::Deterministic),
                _ => attention(input, Mask::Full),
            };
            let loss = (output * weight.clone()).sum();
            let gradients = loss.backward();
            let gradient = query.grad(&gradients).expect("tracked").sum();
            let _ = scalar(Tensor::from_inner(gradient));
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[ROUNDS / 2], peak_mib())
}

/// Peak resident memory; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib / 1024.0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, kind, name] = &arguments[..]
        && flag == "--measure"
    {
        let (seconds, mib) = measure(kind, &device(name));
        println!("{seconds} {mib}");
        return;
    }
    let [batch, heads, tokens, head_dim] = SHAPE;
    println!("attention forward and backward, batch {batch}, {heads} heads, {tokens} tokens, head width {head_dim}");
    println!("{:<10} {:<6} {:>10} {:>12}", "device", "kind", "median s", "peak MiB");
    for name in devices() {
        for kind in ["naive", "fused"] {
            let output = Command::new(&arguments[0]).args(["--measure", kind, name]).output().expect("this program starts");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            println!("{name:<10} {kind:<6} {:>10.3} {:>12.0}", numbers[0], numbers[1]);
        }
    }
}
