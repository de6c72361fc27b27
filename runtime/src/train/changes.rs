//! Going on with a run although its settings or data have changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use larp_traits::{Backend, params, tensor::cpu};
use safetensors::tensor::Metadata;

use super::checkpoint::{Checkpoint, newest};
use crate::RuntimeError;
use crate::data::Dataset;
use crate::pipeline::Pipeline;
use crate::report::{Stage, Warning};
use crate::run::RunFolder;

/// Starts or resumes a run folder; changes that are allowed are written into it and come back as warnings.
pub(super) fn start(
    path: &Path,
    pipeline: &Pipeline,
    dataset: &Arc<dyn Dataset>,
    resume: bool,
    allow: bool,
) -> Result<(RunFolder, Option<Warning>), RuntimeError> {
    let changes = match RunFolder::start(path, pipeline, dataset.as_ref(), resume) {
        Err(RuntimeError::Changed { changes, .. }) if allow => changes,
        outcome => return outcome.map(|run| (run, None)),
    };
    // before anything is written: settings that the checkpoints do not fit would leave a run that cannot go on at all
    let tokenizer = newest(path, Stage::Tokenizer)?;
    if let Some(checkpoint) = &tokenizer {
        fits(&pipeline.outline_tokenizer(&cpu())?, checkpoint)?;
    }
    let generator = newest(path, Stage::Generator)?;
    if let (Some(checkpoint), Some(model)) = (&generator, pipeline.outline_generator(dataset.classes().len(), &cpu())?) {
        fits(&model, checkpoint)?;
    }
    let run = RunFolder::open(path)?;
    run.change(pipeline, dataset.as_ref())?;
    let goes_on = tokenizer.as_ref().is_some_and(|tokenizer| tokenizer.step < pipeline.train.tokenizer.steps as u64);
    let stale =
        if generator.is_some() && goes_on { "; the generator so far has learned the tokens of the tokenizer before" } else { "" };
    let (stage, step) = match (generator, tokenizer) {
        (Some(checkpoint), _) => (Stage::Generator, checkpoint.step),
        (None, checkpoint) => (Stage::Tokenizer, checkpoint.map_or(0, |checkpoint| checkpoint.step)),
    };
    let message = format!("from here on with other settings: {}{stale}", changes.join(", "));
    Ok((run, Some(Warning { stage, step, message })))
}

/// Refuses a checkpoint whose tensors are not those of the module, by names and shapes alone.
fn fits<M: Module<Backend>>(module: &M, checkpoint: &Checkpoint) -> Result<(), RuntimeError> {
    let path = checkpoint.model();
    let mut there = shapes(&path)?;
    let mut problems = Vec::new();
    for param in params::list(module) {
        match there.remove(&param.path) {
            None => problems.push(format!("`{}` is missing", param.path)),
            Some(shape) if shape != param.shape => {
                problems.push(format!("`{}` is {shape:?}, not {:?}", param.path, param.shape));
            }
            Some(_) => {}
        }
    }
    problems.extend(there.keys().map(|name| format!("`{name}` has no place")));
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(5);
    problems.truncate(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let problems = problems.join(", ");
    Err(RuntimeError::content(&path, format!("the changed settings do not fit it: {problems}{more}; start a new run with them")))
}

/// Names and shapes of the tensors of a safetensors file, from its header.
fn shapes(path: &Path) -> Result<BTreeMap<String, Vec<usize>>, RuntimeError> {
    let error = || RuntimeError::file("read", path);
    let mut file = File::open(path).map_err(error())?;
    let (mut length, mut header) = ([0; 8], Vec::new());
    file.read_exact(&mut length).map_err(error())?;
    file.take(u64::from_le_bytes(length)).read_to_end(&mut header).map_err(error())?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| RuntimeError::content(path, error))?;
    Ok(metadata.tensors().into_iter().map(|(name, info)| (name, info.shape.clone())).collect())
}
