//! A seeded run of `larp-tiny` on Flex, pinned: whoever changes its numbers says so in a snapshot.

mod common;

use common::{larp_tiny, train};
use insta::internals::SnapshotContents;
use insta::{Comparator, Snapshot};
use larp_runtime::report::{MetricSplit, read};

/// By how much a loss may be off relatively: processors add up in different orders, and twenty steps of training
/// magnify it (measured: less than 0.3 %).
const TOLERANCE: f64 = 0.01;

/// Snapshots are equal when they differ in nothing but numbers, and in those by no more than [`TOLERANCE`].
#[derive(Clone)]
struct NearLosses;

impl Comparator for NearLosses {
    fn matches(&self, reference: &Snapshot, test: &Snapshot) -> bool {
        match (reference.contents(), test.contents()) {
            (SnapshotContents::Text(reference), SnapshotContents::Text(test)) => near(&reference.to_string(), &test.to_string()),
            _ => false,
        }
    }

    fn dyn_clone(&self) -> Box<dyn Comparator> {
        Box::new(self.clone())
    }
}

fn near(reference: &str, test: &str) -> bool {
    let same = |(reference, test): (&str, &str)| match (reference.parse::<f64>(), test.parse::<f64>()) {
        (Ok(reference), Ok(test)) => (reference - test).abs() <= TOLERANCE * reference.abs(),
        _ => reference == test,
    };
    reference.split_whitespace().count() == test.split_whitespace().count()
        && reference.split_whitespace().zip(test.split_whitespace()).all(same)
}

#[test]
fn a_loss_that_is_off_by_more_than_the_tolerance_is_a_change() {
    assert!(near("tokenizer 14 loss 3.28e0", "tokenizer 14 loss 3.29e0"));
    assert!(!near("tokenizer 14 loss 3.28e0", "tokenizer 14 loss 3.34e0"));
    assert!(!near("tokenizer 14 loss 3.28e0", "tokenizer 16 loss 3.28e0"));
    assert!(!near("tokenizer 14 loss 3.28e0", "tokenizer 14 loss 3.28e0 generator 2"));
    assert!(!near("tokenizer 14 loss 3.28e0", "tokenizer 14 loss NaN"));
}

/// Three significant digits: enough to see a change.
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
    insta::with_settings!({
        snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, comparator => Box::new(NearLosses)
    }, {
        insta::assert_snapshot!("reference_run", lines.join("\n"));
    });
}
