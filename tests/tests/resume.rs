//! An interrupted run goes on as if nothing had happened.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{CRITIC, critic_files, larp_tiny, resume_changed, train, train_observed, weights};
use larp_runtime::pipeline::Pipeline;
use larp_runtime::report::{Stage, Summary, read, read_json};
use larp_runtime::train::{Event, Observer, Outcome};

const STEPS: usize = 8;

fn pipeline(more: &[&str]) -> Pipeline {
    let mut set = vec![
        "train.tokenizer.steps=8",
        "train.generator.steps=8",
        "train.tokenizer.batch_size=2",
        "train.generator.batch_size=2",
        "train.generator.cached_clips=8",
        "train.evaluation_clips=2",
        "train.sample_clips=1",
        "train.checkpoint_every=3",
        "train.log_every=1",
        "encoder.depth=1",
        "decoder.depth=1",
        "generator.depth=1",
        "encoder.tokens=8",
    ];
    set.extend(more);
    larp_tiny(&set)
}

/// Interrupts at a step of a stage.
struct StopAt(Stage, usize, Arc<AtomicBool>);

impl Observer for StopAt {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { stage, step, .. } if *stage == self.0 && *step == self.1) {
            self.2.store(true, Ordering::Relaxed);
        }
    }
}

fn assert_equal_runs(a: &Path, b: &Path) {
    for stage in ["tokenizer", "generator"] {
        assert_eq!(weights(a, stage, STEPS), weights(b, stage, STEPS), "weights of the {stage}");
    }
    assert!(critic_files(a, STEPS) == critic_files(b, STEPS), "the critic");
    let losses = |folder: &Path| -> Vec<_> {
        let records = read(&folder.join("metrics.jsonl")).expect("metrics");
        let timed = |name: &str| name == "clips_per_second";
        let untimed = |values: BTreeMap<String, f64>| values.into_iter().filter(|(name, _)| !timed(name)).collect::<Vec<_>>();
        records.into_iter().map(|record| (record.stage, record.split, record.step, untimed(record.values))).collect()
    };
    assert_eq!(losses(a), losses(b), "the log");
}

fn interrupted_twice_equals_uninterrupted(more: &[&str]) {
    let (whole, parts) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert_eq!(train(pipeline(more), whole.path(), false).expect("it runs"), Outcome::Finished);
    for (resume, stage, step) in [(false, Stage::Tokenizer, 4), (true, Stage::Generator, 5)] {
        let stop = Arc::new(AtomicBool::new(false));
        let mut observer = StopAt(stage, step, stop.clone());
        let outcome = train_observed(pipeline(more), parts.path(), resume, &mut observer, stop).expect("it runs");
        assert_eq!(outcome, Outcome::Interrupted);
    }
    assert_eq!(train(pipeline(more), parts.path(), true).expect("it runs"), Outcome::Finished);
    assert_equal_runs(whole.path(), parts.path());
}

#[test]
fn a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one() {
    interrupted_twice_equals_uninterrupted(&[]);
}

#[test]
fn so_does_one_with_averages_accumulation_and_clipping() {
    interrupted_twice_equals_uninterrupted(&[
        "train.tokenizer.ema_decay=0.9",
        "train.generator.ema_decay=0.9",
        "train.tokenizer.accumulation=2",
        "train.tokenizer.optimizer.clip_norm=0.5",
        "train.tokenizer.prior_learning_rate_multiplier=3.0",
    ]);
}

#[test]
fn so_does_one_with_a_critic() {
    interrupted_twice_equals_uninterrupted(&[
        CRITIC,
        "train.critic.every=3",
        "train.critic.start=1",
        "train.critic.r1.weight=0.5",
        "train.critic.clip_norm=0.5",
        "train.tokenizer.accumulation=2",
        "train.log_every=2",
    ]);
}

#[test]
fn so_does_one_that_restarts_dead_codes() {
    let more =
        ["train.tokenizer.dead_codes={ every = 3, min_uses = 2 }", "train.tokenizer.ema_decay=0.9", "train.checkpoint_every=2"];
    interrupted_twice_equals_uninterrupted(&more);
}

#[test]
fn a_finished_run_resumes_to_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(&[]), folder.path(), false).expect("it runs");
    let before = weights(folder.path(), "generator", STEPS);
    assert_eq!(train(pipeline(&[]), folder.path(), true).expect("it runs"), Outcome::Finished);
    assert_eq!(weights(folder.path(), "generator", STEPS), before);
}

#[test]
fn a_run_is_not_overwritten_without_resume() {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(&[]), folder.path(), false).expect("it runs");
    let error = train(pipeline(&[]), folder.path(), false).expect_err("there is a run").to_string();
    assert!(error.contains("`--resume`"), "{error}");
}

#[test]
fn other_settings_are_refused_with_the_keys_that_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(&[]), folder.path(), false).expect("it runs");
    let error = train(pipeline(&["train.seed=5"]), folder.path(), true).expect_err("another seed").to_string();
    assert!(error.contains("`train.seed`: 0 -> 5"), "{error}");
}

#[test]
fn allowed_changes_are_a_warning_and_the_settings_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(&[]), folder.path(), false).expect("it runs");
    let longer = || pipeline(&["train.tokenizer.steps=9", "train.generator.steps=10"]);
    assert_eq!(resume_changed(longer(), folder.path()).expect("it goes on"), Outcome::Finished);
    let summary: Summary = read_json(&folder.path().join("summary.json")).expect("a summary");
    let [warning] = &summary.warnings[..] else { panic!("{summary:?}") };
    for expected in ["`train.tokenizer.steps`: 8 -> 9", "`train.generator.steps`: 8 -> 10", "the tokenizer before"] {
        assert!(warning.message.contains(expected), "{}", warning.message);
    }
    let before = weights(folder.path(), "generator", 10);
    train(longer(), folder.path(), true).expect("they are the settings of the run now");
    assert_eq!(weights(folder.path(), "generator", 10), before);
}

#[test]
fn allowed_changes_that_do_not_fit_the_checkpoints_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(&[]), folder.path(), false).expect("it runs");
    let error = resume_changed(pipeline(&["encoder.depth=2"]), folder.path()).expect_err("no such parameters").to_string();
    assert!(error.contains("`encoder.transformer.blocks.1.") && error.contains("is missing"), "{error}");
    train(pipeline(&[]), folder.path(), true).expect("the run is as it was");
}

#[test]
fn a_half_written_checkpoint_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(&[]), folder.path(), false).expect("it runs");
    let before = weights(folder.path(), "tokenizer", STEPS);
    let last = folder.path().join(format!("checkpoints/tokenizer/step-{STEPS:08}"));
    std::fs::write(last.join("state.json"), "{\"format_ver").expect("writable");
    train(pipeline(&[]), folder.path(), true).expect("it goes on from the checkpoint before");
    assert_eq!(weights(folder.path(), "tokenizer", STEPS), before);
}
