//! Codes that fall out of use are warned of, and restarted where that is asked for.

mod common;

use std::path::Path;

use common::train;
use larp_runtime::report::{MetricSplit, Stage, Summary, read, read_json};

/// An evaluation of 64 tokens uses few of the 256 codes.
const SETTINGS: [&str; 11] = [
    "train.tokenizer.steps=6",
    "train.tokenizer.batch_size=2",
    "train.evaluate_every=1",
    "train.evaluation_clips=2",
    "train.sample_clips=1",
    "encoder.depth=1",
    "decoder.depth=1",
    "quantizer.type=vq",
    "prior.type=none",
    "generator.type=none",
    "train.collapse.usage=0.2",
];

fn run(folder: &Path, more: &[&str]) -> Summary {
    let set: Vec<&str> = SETTINGS.into_iter().chain(more.iter().copied()).collect();
    let mut source = larp_runtime::pipeline::Source::open("larp-tiny").expect("built in");
    source.table["quantizer"].as_table_mut().expect("a table").remove("entropy_weight");
    for text in set {
        source.set(text).expect("valid");
    }
    train(source.pipeline().expect("valid"), folder, false).expect("it runs");
    read_json(&folder.join("summary.json")).expect("a summary")
}

fn usage(folder: &Path) -> Vec<f64> {
    let records = read(&folder.join("metrics.jsonl")).expect("metrics");
    records.iter().filter(|record| record.split == MetricSplit::Validation).map(|record| record.values["code_usage"]).collect()
}

#[test]
fn low_usage_is_a_warning_in_the_summary_and_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let summary = run(folder.path(), &[]);
    let [warning] = &summary.warnings[..] else { panic!("{:?} {:?}", summary.warnings, usage(folder.path())) };
    assert_eq!((warning.stage, warning.step), (Stage::Tokenizer, 3), "{:?}", usage(folder.path()));
    for expected in ["`train.collapse.usage`", "learning_rate", "entropy_weight", "bottleneck.norm", "dead_codes"] {
        assert!(warning.message.contains(expected), "{}", warning.message);
    }
    let page = std::fs::read_to_string(folder.path().join("report.html")).expect("a report");
    assert!(page.contains("the codebook collapses"));
}

#[test]
fn restarted_codes_come_into_use() {
    let [without, with] = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    run(without.path(), &[]);
    run(with.path(), &["train.tokenizer.dead_codes.every=1"]);
    let [without, with] = [usage(without.path()), usage(with.path())];
    assert!(with.last() > without.last(), "usage without {without:?}, with {with:?}");
}

#[test]
fn a_quantizer_whose_codes_cannot_be_moved_is_refused() {
    use custom_quantizer as _;
    let mut source = larp_runtime::pipeline::Source::open("larp-tiny").expect("built in");
    for text in
        ["quantizer={ type = \"fsq\", levels = [5, 4, 3] }", "bottleneck.code_dim=3", "prior.type=none", "generator.type=none"]
    {
        source.set(text).expect("valid");
    }
    source.set("train.tokenizer.dead_codes.every=1").expect("valid");
    let folder = tempfile::tempdir().expect("a folder");
    let error = train(source.pipeline().expect("valid"), folder.path(), false).expect_err("no codes to move").to_string();
    assert!(error.contains("`train.tokenizer.dead_codes.every = 0`"), "{error}");
}
