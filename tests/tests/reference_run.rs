//! A seeded run of `larp-tiny` on Flex, pinned: whoever changes its numbers says so in a snapshot.

mod common;

use common::{larp_tiny, train};
use larp_runtime::report::{MetricSplit, read};

/// Three significant digits: enough to see a change, few enough for another processor.
fn rounded(value: f64) -> String {
    format!("{value:.2e}")
}

#[test]
fn twenty_steps_of_both_stages_of_larp_tiny() {
    if common::device() != "cpu" {
        println!("pinned on Flex alone");
        return;
    }
    let pipeline = larp_tiny(&[
        "train.tokenizer.steps=20",
        "train.generator.steps=20",
        "train.tokenizer.batch_size=4",
        "train.generator.batch_size=8",
        "train.generator.cached_clips=64",
        "train.evaluation_clips=8",
        "train.sample_clips=1",
        "train.log_every=2",
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline, folder.path(), false).expect("it runs");
    let mut lines = Vec::new();
    for record in read(&folder.path().join("metrics.jsonl")).expect("metrics") {
        if record.split == MetricSplit::Train {
            lines.push(format!("{} {:>2} loss {}", record.stage, record.step, rounded(record.values["loss"])));
        }
    }
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("reference_run", lines.join("\n"));
    });
}
