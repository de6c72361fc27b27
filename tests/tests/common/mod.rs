//! What several tests share.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use larp_plugins as _;
use larp_runtime::RuntimeError;
use larp_runtime::pipeline::{Pipeline, Source};
use larp_runtime::train::{Event, Observer, Outcome, StageChoice, TrainRequest, run};

/// The device of a test run: `LARP_TEST_DEVICE`, or Flex.
pub fn device() -> String {
    std::env::var("LARP_TEST_DEVICE").unwrap_or_else(|_| "cpu".into())
}

/// Three steps on small batches.
pub fn tiny() -> &'static str {
    "[train]\nlog_every = 1\nevaluation_clips = 2\nsample_clips = 1\nworkers = 1\n[train.tokenizer]\nsteps = 3\nbatch_size = 2\n"
}

/// `larp-tiny` with settings over it.
pub fn larp_tiny(set: &[&str]) -> Pipeline {
    builtin("larp-tiny", set)
}

/// A built-in pipeline with settings over it.
pub fn builtin(name: &str, set: &[&str]) -> Pipeline {
    let mut source = Source::open(name).expect("built in");
    for text in set {
        source.set(text).expect("valid");
    }
    source.pipeline().expect("valid")
}

struct Quiet;

impl Observer for Quiet {
    fn event(&mut self, _: &Event) {}
}

/// A run to its end.
pub fn train(pipeline: Pipeline, folder: &Path, resume: bool) -> Result<Outcome, RuntimeError> {
    train_observed(pipeline, folder, resume, &mut Quiet, Arc::default())
}

/// A run that is watched and may be interrupted.
pub fn train_observed(
    pipeline: Pipeline,
    folder: &Path,
    resume: bool,
    observer: &mut dyn Observer,
    interrupted: Arc<AtomicBool>,
) -> Result<Outcome, RuntimeError> {
    let request = TrainRequest {
        pipeline,
        run: folder.into(),
        stage: StageChoice::All,
        device: device(),
        resume,
        allow_changes: false,
        interrupted,
    };
    run(request, observer)
}

/// Goes on with a run whose settings may differ.
pub fn resume_changed(pipeline: Pipeline, folder: &Path) -> Result<Outcome, RuntimeError> {
    let (run_folder, interrupted) = (folder.into(), Arc::default());
    let (stage, device) = (StageChoice::All, device());
    let request = TrainRequest { pipeline, run: run_folder, stage, device, resume: true, allow_changes: true, interrupted };
    run(request, &mut Quiet)
}

/// Every tensor of the last checkpoint of a stage, by name, as bytes.
pub fn weights(folder: &Path, stage: &str, step: usize) -> BTreeMap<String, Vec<u8>> {
    let path = folder.join(format!("checkpoints/{stage}/step-{step:08}/model.safetensors"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect()
}

/// A small critic for `larp_tiny`.
pub const CRITIC: &str =
    "critic={ type = \"vit\", dim = 16, depth = 1, heads = 2, patch = { frames = 4, size = 8 }, spectral_norm = 1 }";

/// The files of the critic in the last checkpoint of the tokenizer, without that of its optimiser, which is a map in no fixed order;
/// empty without a critic.
pub fn critic_files(folder: &Path, step: usize) -> BTreeMap<String, Vec<u8>> {
    let folder = folder.join(format!("checkpoints/tokenizer/step-{step:08}"));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let named = entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let critic = named.filter(|(name, _)| name.starts_with("critic") && !name.ends_with(".bin"));
    critic.map(|(name, path)| (name, std::fs::read(path).expect("readable"))).collect()
}
