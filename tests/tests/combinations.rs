//! Any encoder goes with any decoder, quantizer and prior whose shapes fit.

mod common;

use common::{tiny, train};
use larp_runtime::pipeline::Source;
use larp_runtime::report::{MetricSplit, Stage, read};
use rstest::rstest;

/// FSQ is the quantizer of the example crate: a plugin from outside takes part like the built-in ones.
use custom_quantizer as _;

fn settings(kind: &str, name: &str) -> Vec<String> {
    let lines: &[&str] = match (kind, name) {
        ("encoder", "holistic") => &["tokens = 16", "dim = 16", "depth = 1", "heads = 2", "patch = { frames = 4, size = 8 }"],
        ("encoder", "patchwise") => &["dim = 16", "depth = 1", "heads = 2", "patch = { frames = 4, size = 8 }"],
        ("decoder", _) => &["dim = 16", "depth = 1", "heads = 2", "patch = { frames = 4, size = 8 }"],
        ("quantizer", "fsq") => &["levels = [5, 4, 3]"],
        ("quantizer", _) => &["codebook_size = 24"],
        ("prior", "continuous-ar") => &["dim = 8", "depth = 1", "heads = 2"],
        _ => &[],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn part(kind: &str, name: &str) -> String {
    format!("[{kind}]\ntype = \"{name}\"\n{}\n", settings(kind, name).join("\n"))
}

#[rstest]
fn every_combination_trains(
    #[values("holistic", "patchwise")] encoder: &str,
    #[values("holistic", "patchwise")] decoder: &str,
    #[values("svq", "vq", "fsq")] quantizer: &str,
    #[values("continuous-ar", "none")] prior: &str,
) {
    let text = format!(
        "name = \"combination\"\n{}{}{}{}{}[bottleneck]\ncode_dim = 3\n{}",
        "[clip]\nframes = 8\nheight = 16\nwidth = 32\n",
        part("encoder", encoder),
        part("quantizer", quantizer),
        part("decoder", decoder),
        part("prior", prior),
        tiny(),
    );
    let pipeline = Source::parse_text("combination", &text).expect("valid TOML").pipeline().expect("known settings");
    let folder = tempfile::tempdir().expect("a temporary folder");
    train(pipeline, folder.path(), false).expect("it trains");
    let records = read(&folder.path().join("metrics.jsonl")).expect("metrics");
    let losses: Vec<f64> = records
        .iter()
        .filter(|record| record.stage == Stage::Tokenizer && record.split == MetricSplit::Train)
        .map(|record| record.values["loss"])
        .collect();
    assert!(losses.len() == 3 && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    assert_ne!(losses[0], losses[2], "the parameters move");
}
