//! The perceptual loss in a run: logged, measured, and no part of what is learned or saved.

mod common;

use std::path::Path;

use common::{larp_tiny, train, weights};
use larp_runtime::pipeline::{Pipeline, PipelineError};
use larp_runtime::report::{MetricSplit, Stage, read};
use larp_runtime::{RuntimeError, inspect::inspect};

const STEPS: usize = 3;

/// `larp-tiny` for three steps, with `set` over it.
fn pipeline(set: &[&str]) -> Pipeline {
    let short = [
        "train.tokenizer.steps=3",
        "train.tokenizer.batch_size=2",
        "train.log_every=1",
        "train.evaluation_clips=2",
        "train.sample_clips=1",
        "train.workers=1",
        "generator=none",
    ];
    larp_tiny(&[&short[..], set].concat())
}

const MADE_UP: &str = "perceptual={ type = \"lpips-vgg\", weights = \"formula\" }";

/// The values of a metric, one a line of the log.
fn logged(run: &Path, split: MetricSplit, name: &str) -> Vec<f64> {
    let records = read(&run.join("metrics.jsonl")).expect("metrics");
    let records = records.iter().filter(|record| record.stage == Stage::Tokenizer && record.split == split);
    records.filter_map(|record| record.values.get(name).copied()).collect()
}

#[test]
fn it_is_logged_and_measured_and_its_weight_is_in_the_loss() {
    let run = |set: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        train(pipeline(set), folder.path(), false).expect("it trains");
        folder
    };
    let with = run(&[MADE_UP, "losses.perceptual=0.5"]);
    let only_measured = run(&[MADE_UP, "losses.perceptual=0"]);
    let without = run(&[]);
    let of = |run: &tempfile::TempDir, name| logged(run.path(), MetricSplit::Train, name);

    let distances = of(&with, "perceptual");
    assert!(distances.len() == STEPS && distances.iter().all(|value| *value > 0.0), "{distances:?}");
    // the first step has the same parameters, clips and draws in all three
    let difference = of(&with, "loss")[0] - of(&without, "loss")[0];
    assert!((difference - 0.5 * distances[0]).abs() < 1e-5, "{difference} {distances:?}");
    assert_eq!(of(&only_measured, "loss"), of(&without, "loss"));
    assert!(of(&only_measured, "perceptual").is_empty() && of(&without, "perceptual").is_empty());
    for (run, measured) in [(&with, 1), (&only_measured, 1), (&without, 0)] {
        assert_eq!(logged(run.path(), MetricSplit::Validation, "perceptual").len(), measured);
    }
    let baseline = |run: &tempfile::TempDir| logged(run.path(), MetricSplit::Validation, "mean_frame_psnr");
    assert_eq!(baseline(&with), baseline(&without), "it leaves the clips as they are");
    let names = |run: &tempfile::TempDir| weights(run.path(), "tokenizer", STEPS).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&with), names(&without), "a checkpoint does not hold it");
}

#[test]
fn a_resumed_run_looks_at_the_same_frames() {
    let set = [MADE_UP, "losses.perceptual_frames=2", "train.checkpoint_every=2"];
    let (whole, parts) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    train(pipeline(&set), whole.path(), false).expect("it trains");
    train(pipeline(&set), parts.path(), false).expect("it trains");
    std::fs::remove_dir_all(parts.path().join("checkpoints/tokenizer/step-00000003")).expect("there");
    train(pipeline(&set), parts.path(), true).expect("it goes on after step 2");
    assert_eq!(weights(whole.path(), "tokenizer", STEPS), weights(parts.path(), "tokenizer", STEPS));
}

#[test]
fn its_weights_are_counted_nowhere() {
    let (with, without) = (inspect(&pipeline(&[MADE_UP])).expect("it fits"), inspect(&pipeline(&[])).expect("it fits"));
    assert_eq!(with.total_parameters, without.total_parameters);
    assert_eq!(with.parts.len(), without.parts.len() + 1);
    assert!(with.files.is_empty(), "made-up weights need no file");
}

#[test]
fn without_its_files_nothing_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let set = ["perceptual={ type = \"lpips-vgg\", backbone = \"no/backbone.pth\", heads = \"no/heads.pth\" }"];
    let error = train(pipeline(&set), &run, false).expect_err("they are not there");
    let RuntimeError::Pipeline(PipelineError::Files { source, .. }) = &error else { panic!("{error}") };
    assert_eq!(source.0.len(), 2, "{error}");
    let message = error.to_string();
    for part in ["no/backbone.pth", "no/heads.pth", "download.pytorch.org", "553433881", "397923af8e79", "perceptual = \"none\""]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!run.exists(), "nothing was left behind");
}

#[test]
fn clips_too_small_for_the_network_are_refused_by_the_plan() {
    let set = [MADE_UP, "clip.height=8", "encoder.patch={ frames = 4, size = 8 }"];
    let message = pipeline(&set).plan().map(drop).expect_err("too small").to_string();
    assert!(message.contains("at least 16 x 16"), "{message}");
}
