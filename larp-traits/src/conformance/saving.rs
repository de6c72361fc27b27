//! Saved models.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::compare::assert_same;
use super::gradients::nudged;
use super::{Subject, Trial};
use crate::draw::Draw;
use crate::state;

/// A model loaded from a file gives what the saved one gave, whatever it was started from.
///
/// # Panics
/// When a parameter is not in the file, or outputs differ.
pub fn a_saved_model_gives_the_same_outputs<K: Subject>(trial: &Trial<K>) {
    let file = Scratch::new();
    let saved = nudged(trial.model(1));
    state::save_file(&saved, &file.0).unwrap_or_else(|error| panic!("{} was not saved: {error}", trial.what()));
    let mut loaded = trial.model(2);
    state::load_file(&mut loaded, &file.0).unwrap_or_else(|error| panic!("{} was not loaded: {error}", trial.what()));
    let outputs = |model| trial.outputs(model, 2, Draw::Deterministic);
    assert_same(&format!("{} after saving and loading", trial.what()), outputs(&saved), outputs(&loaded), 1e-6);
}

/// A file of this test's own, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("larp-conformance-{}-{number}.safetensors", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
