//! Peak memory and time of one training step of LARP-B (batch 1): ours against PyTorch running the same shapes with its fused
//! attention (`train_memory.py`, beside this).
//!
//! `cargo bench -p larp-benches --bench train_memory --features libtorch`, with `LARP_PYTHON` for a Python that has `torch` (default
//! `python3`). Each measurement is a process of its own; both take two steps and time the second.
#![recursion_limit = "256"]

use std::process::Command;

use larp_plugins as _;
use larp_runtime::memory;
use larp_runtime::pipeline::{Pipeline, Source};
use larp_runtime::train::{StageChoice, dry_run};

const PIPELINE: &str = "larp-b";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/train_memory.py");

/// Losses that the script has: pixels, quantizer and prior.
fn pipeline() -> Pipeline {
    let mut source = Source::open(PIPELINE).expect("built in");
    for text in ["train.tokenizer.batch_size=1", "perceptual=none", "critic=none"] {
        source.set(text).expect("valid");
    }
    source.pipeline().expect("valid")
}

/// Prints seconds of a step, peak memory, and the memory of a process that has done nothing yet.
fn measure(device: &str) {
    let start = memory::peak().unwrap_or(0);
    let costs = dry_run(&pipeline(), StageChoice::Tokenizer, device).expect("it runs");
    let stage = &costs.stages[0];
    println!("{} {} {start}", stage.step_seconds, stage.peak_bytes.unwrap_or(0));
}

struct Measured {
    seconds: f64,
    peak: f64,
    start: f64,
}

/// The three numbers in the last line of a program.
fn run(command: &mut Command) -> Result<Measured, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = text.lines().last().unwrap_or("").split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [seconds, peak, start] => Ok(Measured { seconds, peak, start }),
        _ => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no output").to_owned()),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, device] = &arguments[..]
        && flag == "--measure"
    {
        return measure(device);
    }
    let python = std::env::var("LARP_PYTHON").unwrap_or_else(|_| "python3".into());
    println!("one training step of {PIPELINE}, batch 1, with its prior");
    println!("{:<16} {:>9} {:>10} {:>12}", "program", "step s", "peak MiB", "at start MiB");
    let mut peaks = Vec::new();
    let ours = cfg!(feature = "libtorch").then_some("libtorch").into_iter().chain(["cpu"]);
    let ours = ours.map(|device| (format!("larp {device}"), run(Command::new(&arguments[0]).args(["--measure", device]))));
    for (name, measured) in ours.chain(std::iter::once_with(|| ("PyTorch".to_owned(), run(Command::new(&python).arg(SCRIPT))))) {
        match measured {
            Ok(Measured { seconds, peak, start }) => {
                let mib = |bytes: f64| bytes / f64::from(1 << 20);
                println!("{name:<16} {seconds:>9.2} {:>10.0} {:>12.0}", mib(peak), mib(start));
                peaks.push((name, peak));
            }
            Err(message) => println!("{name:<16} not measured: {message}"),
        }
    }
    if let Some((_, theirs)) = peaks.iter().find(|(name, _)| name == "PyTorch") {
        for (name, ours) in peaks.iter().filter(|(name, _)| name != "PyTorch") {
            println!("{name}: {:.2} times PyTorch's peak", ours / theirs);
        }
    }
}
