//! Adversarial training of the tokenizer.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{CRITIC, critic_files, device, larp_tiny, train, weights};
use larp_runtime::pipeline::Pipeline;
use larp_runtime::report::{MetricSplit, Stage, read};
use larp_runtime::train::{StageChoice, dry_run};
use rstest::rstest;
use tempfile::TempDir;

const STEPS: usize = 6;

/// A small `larp-tiny` without a generator.
fn pipeline(more: &[&str]) -> Pipeline {
    let mut set = vec![
        "generator.type=none",
        "train.tokenizer.steps=6",
        "train.tokenizer.batch_size=2",
        "train.evaluation_clips=2",
        "train.sample_clips=1",
        "train.log_every=1",
        "encoder.depth=1",
        "decoder.depth=1",
        "encoder.tokens=8",
    ];
    set.extend(more);
    larp_tiny(&set)
}

fn run(more: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(more), folder.path(), false).expect("it runs");
    folder
}

/// Numbers of the training steps, by step.
fn numbers(folder: &Path) -> BTreeMap<u64, BTreeMap<String, f64>> {
    let records = read(&folder.join("metrics.jsonl")).expect("metrics").into_iter();
    let training = records.filter(|record| record.stage == Stage::Tokenizer && record.split == MetricSplit::Train);
    training.map(|record| (record.step, record.values)).collect()
}

fn series(folder: &Path, name: &str) -> Vec<(u64, f64)> {
    numbers(folder).into_iter().filter_map(|(step, values)| Some((step, *values.get(name)?))).collect()
}

#[test]
fn the_critic_is_updated_every_so_many_steps_from_its_start() {
    let folder = run(&[CRITIC, "train.critic.every=2", "train.critic.start=1", "train.critic.loss_start=3"]);
    let steps = |name| series(folder.path(), name).into_iter().map(|(step, _)| step).collect::<Vec<_>>();
    assert_eq!(steps("critic_loss"), [2, 4, 6]);
    assert_eq!(steps("adversarial_loss"), [4, 5, 6]);
}

#[test]
fn a_line_of_the_log_has_the_mean_over_the_updates_alone() {
    let lines = run(&[CRITIC, "train.critic.every=2"]);
    let line = run(&[CRITIC, "train.critic.every=2", "train.log_every=6"]);
    let each = series(lines.path(), "critic_real_logit");
    let mean = each.iter().map(|(_, value)| value).sum::<f64>() / each.len() as f64;
    let [(_, found)] = series(line.path(), "critic_real_logit")[..] else { panic!("one line") };
    assert!((found - mean).abs() < 1e-9, "{found}, expected {mean}");
}

#[test]
fn evaluation_leaves_the_critic_and_its_averages_alone() {
    let seldom = run(&[CRITIC, "train.critic.every=2"]);
    let often = run(&[CRITIC, "train.critic.every=2", "train.evaluate_every=1"]);
    let files = critic_files(seldom.path(), STEPS);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["critic.json", "critic.safetensors"]);
    assert!(files == critic_files(often.path(), STEPS), "another critic");
}

#[test]
fn without_a_weight_there_is_no_critic() {
    let off = run(&[CRITIC, "losses.critic=0.0"]);
    assert!(critic_files(off.path(), STEPS).is_empty());
    let none = run(&["critic.type=none"]);
    let tokenizer = |folder: &TempDir| weights(folder.path(), "tokenizer", STEPS);
    assert!(tokenizer(&off) == tokenizer(&none), "a critic without a weight changes the tokenizer");
    assert!(tokenizer(&run(&[CRITIC])) != tokenizer(&none), "a critic with a weight does not change the tokenizer");
}

#[test]
fn threads_do_not_change_the_numbers() {
    let [one, two] = ["train.threads=1", "train.threads=2"]
        .map(|threads| run(&[CRITIC, "train.critic.every=2", "train.tokenizer.accumulation=2", threads]));
    assert!(critic_files(one.path(), STEPS) == critic_files(two.path(), STEPS), "another critic");
    assert!(weights(one.path(), "tokenizer", STEPS) == weights(two.path(), "tokenizer", STEPS), "another tokenizer");
}

#[rstest]
#[case::r1("r1", "train.critic.r1.weight=10.0", "train.critic.r1.weight=0.0")]
#[case::lecam("lecam", "train.critic.lecam.weight=10.0", "train.critic.lecam.weight=0.0")]
fn a_penalty_is_logged_and_changes_the_critic(#[case] name: &str, #[case] with: &str, #[case] without: &str) {
    let [with, without] = [with, without].map(|set| run(&[CRITIC, "train.critic.every=1", set]));
    let penalties = series(with.path(), name);
    assert!(penalties.len() == STEPS && penalties.iter().all(|(_, value)| value.is_finite()), "{penalties:?}");
    assert!(penalties.iter().any(|(_, value)| *value > 0.0), "{penalties:?}");
    assert!(series(without.path(), name).is_empty());
    let critic = |folder: &TempDir| critic_files(folder.path(), STEPS)["critic.safetensors"].clone();
    assert!(critic(&with) != critic(&without), "the same critic");
}

/// Steps that are linear in the gradient, lest rounding decides a sign.
const LINEAR: &str = "train.tokenizer.optimizer={ learning_rate = 1e-3, eps = 1.0 }";

#[test]
fn the_adaptive_weight_is_the_ratio_of_the_gradients() {
    let ratio = |l1: &str| {
        let folder = run(&[CRITIC, "train.critic.weighting=adaptive", "losses.mse=0.0", l1, LINEAR]);
        series(folder.path(), "adversarial_weight")[0].1
    };
    let (once, twice) = (ratio("losses.l1=1.0"), ratio("losses.l1=2.0"));
    assert!(once > 0.0 && (twice / once - 2.0).abs() < 1e-3, "{once}, {twice}");
}

#[test]
fn a_step_at_an_adaptive_weight_equals_one_at_that_weight_fixed() {
    let one_step = ["train.tokenizer.steps=1", LINEAR];
    let adaptive = run(&[&[CRITIC, "train.critic.weighting=adaptive"], &one_step[..]].concat());
    let weight = series(adaptive.path(), "adversarial_weight")[0].1;
    let fixed = run(&[&[CRITIC, &format!("losses.critic={weight}")], &one_step[..]].concat());
    let loss = |folder: &TempDir| series(folder.path(), "loss")[0].1;
    assert!((loss(&adaptive) / loss(&fixed) - 1.0).abs() < 1e-5, "{} {}", loss(&adaptive), loss(&fixed));
    let moved = |folder: &TempDir| series(folder.path(), "grad_norm")[0].1;
    assert!((moved(&adaptive) / moved(&fixed) - 1.0).abs() < 1e-4, "{} {}", moved(&adaptive), moved(&fixed));
    let floats = |folder: &TempDir, name: &str| -> Vec<f32> {
        let bytes = &weights(folder.path(), "tokenizer", 1)[name];
        bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect()
    };
    for name in weights(fixed.path(), "tokenizer", 1).keys() {
        let (a, b) = (floats(&adaptive, name), floats(&fixed, name));
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-6, "`{name}`: {worst}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let message = |set: &[&str]| pipeline(set).plan().expect_err("refused").to_string() + &chain(&pipeline(set));
    let error = message(&[CRITIC, "critic.patch.size=5"]);
    assert!(error.contains("`critic.patch.size` is 5"), "{error}");
    let error = message(&[CRITIC, "train.critic.every=0"]);
    assert!(error.contains("`train.critic.every` is 0"), "{error}");
}

fn chain(pipeline: &Pipeline) -> String {
    use std::error::Error as _;
    let error = pipeline.plan().expect_err("refused");
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn a_dry_run_updates_a_critic_that_starts_later() {
    let dry = |set: &[&str]| {
        let costs = dry_run(&pipeline(set), StageChoice::Tokenizer, &device()).expect("it runs");
        costs.stages.into_iter().next().expect("the tokenizer")
    };
    let cost = dry(&[CRITIC, "train.tokenizer.steps=100", "train.critic.start=90", "train.critic.every=4"]);
    let critic = cost.critic.expect("its cost");
    assert_eq!((critic.updates, cost.losses.len()), (3, 3));
    assert!(critic.loss.is_finite() && critic.step_seconds > 0.0, "it was updated: {critic:?}");
    let more = cost.estimated_seconds - 100.0 * cost.step_seconds;
    assert!((more - 3.0 * (critic.step_seconds - cost.step_seconds).max(0.0)).abs() < 1e-9, "{more}");
    assert_eq!(dry(&["critic.type=none"]).critic, None);
    assert_eq!(dry(&[CRITIC, "losses.critic=0.0"]).critic, None);
}

#[test]
fn a_hundred_steps_against_the_critic_are_stable() {
    let folder = run(&[
        CRITIC,
        "train.critic.every=2",
        "train.critic.learning_rate_multiplier=1.0",
        "train.tokenizer.steps=100",
        "train.tokenizer.batch_size=4",
        "train.log_every=10",
    ]);
    let values = numbers(folder.path());
    assert!(values.values().flat_map(BTreeMap::values).all(|value| value.is_finite()), "{values:?}");
    let first_and_last = |name| {
        let series = series(folder.path(), name);
        (series[0].1, series[series.len() - 1].1)
    };
    let (first, last) = first_and_last("l1");
    assert!(last < 0.9 * first, "the reconstruction gets better: l1 {first} to {last}");
    for name in ["critic_real_logit", "critic_fake_logit"] {
        let largest = series(folder.path(), name).into_iter().map(|(_, value)| value.abs()).fold(0.0, f64::max);
        assert!(largest < 10.0, "{name} reaches {largest}");
    }
    let skipped = series(folder.path(), "critic_skipped_updates");
    assert!(skipped.iter().all(|(_, share)| *share == 0.0), "{skipped:?}");
}
