//! Steps whose loss is no number change nothing, and too many of them stop the run.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{tiny, train, train_observed};
use larp_runtime::RuntimeError;
use larp_runtime::pipeline::{Pipeline, Source};
use larp_runtime::report::{MetricSplit, Stage, read};
use larp_runtime::train::{Event, Observer, Outcome, newest};
use larp_traits::prelude::*;

/// A prior whose loss is NaN at some steps.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NanAtSettings {
    /// Steps, counted from 0.
    steps: Vec<usize>,
}

register!(Prior, "nan-at", NanAtSettings, "NaN at some steps", "this test");

#[typetag::serde(name = "nan-at")]
impl PriorSettings for NanAtSettings {
    fn build(&self, context: &BuildContext) -> Result<DynPrior, SettingsError> {
        Ok(NanAt { scale: init::param([1], Init::Ones, &context.device), settings: self.clone() }.into())
    }
}

#[derive(Component, Debug)]
struct NanAt {
    scale: Param<Tensor<1>>,
    #[component(skip)]
    settings: NanAtSettings,
}

impl Prior for NanAt {
    fn nll(&self, sequence: &Quantized, _: Tensor<2>, at: Progress, _: Draw) -> PriorLoss {
        let mean = sequence.embeddings.clone().mean() * self.scale.val();
        let nll = if self.settings.steps.contains(&at.step) { mean * f32::NAN } else { mean };
        PriorLoss { accuracy: untracked(nll.clone()), nll }
    }
}

/// A small tokenizer that goes wrong at some steps.
fn pipeline(wrong: &[usize], more: &[&str]) -> Pipeline {
    let parts = r#"
        name = "watched"
        clip = { frames = 4, height = 8, width = 8 }
        encoder = { type = "patchwise", dim = 8, depth = 1, heads = 1, patch = { frames = 2, size = 4 } }
        decoder = { type = "patchwise", dim = 8, depth = 1, heads = 1, patch = { frames = 2, size = 4 } }
        quantizer = { type = "vq", codebook_size = 8 }
        bottleneck = { code_dim = 2 }
    "#;
    let text = format!("{parts}\nprior = {{ type = \"nan-at\", steps = {wrong:?} }}\n{}", tiny());
    let mut source = Source::parse_text("watched", &text).expect("valid TOML");
    for set in ["train.tokenizer.steps=8", "train.checkpoint_every=1", "train.tokenizer.ema_decay=0.9"].iter().chain(more) {
        source.set(set).expect("valid");
    }
    source.pipeline().expect("valid")
}

fn files(folder: &Path, step: usize) -> [Vec<u8>; 3] {
    let checkpoint = folder.join(format!("checkpoints/tokenizer/step-{step:08}"));
    let mut files =
        ["model.safetensors", "ema.safetensors", "optimizer.bin"].map(|name| std::fs::read(checkpoint.join(name)).expect(name));
    // the optimiser's parameters stand in a random order
    files[2].sort_unstable();
    files
}

#[test]
fn a_skipped_step_leaves_model_average_and_optimiser_and_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(train(pipeline(&[2, 7], &[]), folder.path(), false).expect("it runs"), Outcome::Finished);
    assert!(files(folder.path(), 7) == files(folder.path(), 8), "the last step changes nothing");
    let records = read(&folder.path().join("metrics.jsonl")).expect("metrics");
    let of_training = records.iter().filter(|record| record.split == MetricSplit::Train);
    let counts: Vec<f64> = of_training.clone().map(|record| record.values["skipped_steps"]).collect();
    assert_eq!(counts, [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
    let losses: Vec<bool> = of_training.map(|record| record.values.contains_key("loss")).collect();
    assert_eq!(losses, [true, true, false, true, true, true, true, false]);
}

#[test]
fn too_many_in_a_row_stop_the_run_and_leave_the_last_good_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = train(pipeline(&[1, 3, 4, 5], &["train.max_skipped_in_a_row=3"]), folder.path(), false).expect_err("it stops");
    assert!(matches!(error, RuntimeError::Diverged { stage: Stage::Tokenizer, step: 6, skipped: 3, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("step-00000003") && text.contains("`train.max_skipped_in_a_row`"), "{text}");
    assert_eq!(newest(folder.path(), Stage::Tokenizer).expect("readable").expect("there").step, 3);
}

#[test]
fn with_a_limit_of_0_it_never_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = [0, 1, 2, 3, 4, 5, 6, 7];
    let outcome = train(pipeline(&all, &["train.max_skipped_in_a_row=0"]), folder.path(), false).expect("it runs");
    assert_eq!(outcome, Outcome::Finished);
}

#[test]
fn a_learning_rate_beyond_reason_is_caught() {
    let folder = tempfile::tempdir().expect("a folder");
    let set = ["train.tokenizer.optimizer.learning_rate=1e30", "train.max_skipped_in_a_row=2", "train.checkpoint_every=100"];
    let error = train(pipeline(&[], &set), folder.path(), false).expect_err("it stops").to_string();
    assert!(error.contains("in 2 steps in a row") && error.contains("there is no checkpoint yet"), "{error}");
}

struct StopAt(usize, Arc<AtomicBool>);

impl Observer for StopAt {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { step, .. } if *step == self.0) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_run_resumed_amid_skipped_steps_stops_where_an_uninterrupted_one_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = || pipeline(&[3, 4, 5], &["train.max_skipped_in_a_row=3"]);
    let stop = Arc::new(AtomicBool::new(false));
    let outcome = train_observed(settings(), folder.path(), false, &mut StopAt(5, stop.clone()), stop);
    assert_eq!(outcome.expect("it runs"), Outcome::Interrupted);
    let error = train(settings(), folder.path(), true).expect_err("it stops");
    assert!(matches!(error, RuntimeError::Diverged { step: 6, skipped: 3, .. }), "{error:?}");
}
