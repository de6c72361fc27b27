//! Checkpoints: a folder each, written under a temporary name and renamed when it is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::module::Module;
use larp_traits::{Backend, state};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::collapse::Collapse;
use super::dead_codes::Uses;
use super::watchdog::Watchdog;
use crate::RuntimeError;
use crate::format::{FORMAT_VERSION, migrate_state};
use crate::report::{Stage, read_json, write_json};

const MODEL: &str = "model.safetensors";
const EMA: &str = "ema.safetensors";
const OPTIMIZER: &str = "optimizer.bin";
const STATE: &str = "state.json";

/// What is known of a checkpoint beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    format_version: u32,
    stage: Stage,
    step: u64,
    elapsed_seconds: f64,
    ema: bool,
    /// From another program: without an optimiser state.
    imported: bool,
    log: LogSums,
    #[serde(default)]
    watchdog: Watchdog,
    #[serde(default)]
    collapse: Collapse,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_uses: Option<Uses>,
}

/// What was added up since the last line of the log, so that a resumed run writes the lines of an uninterrupted one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogSums {
    pub sums: BTreeMap<String, f64>,
    pub steps: usize,
    /// How often there was a number that not every step has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, usize>,
}

/// A whole checkpoint on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Steps done.
    pub step: u64,
    /// Training time of its stage so far.
    pub elapsed_seconds: f64,
    ema: bool,
    imported: bool,
    pub(super) log: LogSums,
    pub(super) watchdog: Watchdog,
    pub(super) collapse: Collapse,
    pub(super) code_uses: Option<Uses>,
}

impl State {
    fn at(self, path: PathBuf) -> Checkpoint {
        let Self { step, elapsed_seconds, ema, imported, log, watchdog, collapse, code_uses, .. } = self;
        Checkpoint { path, step, elapsed_seconds, ema, imported, log, watchdog, collapse, code_uses }
    }
}

impl Checkpoint {
    /// The parameters to evaluate and generate with: the average where there is one.
    pub fn weights(&self) -> PathBuf {
        self.path.join(if self.ema { EMA } else { MODEL })
    }

    pub(super) fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    pub(super) fn average(&self) -> Option<PathBuf> {
        self.ema.then(|| self.path.join(EMA))
    }

    /// Its optimiser's state; `None` where there is none, and a new one begins.
    pub(super) fn optimizer(&self) -> Result<Option<Vec<u8>>, RuntimeError> {
        if self.imported {
            return Ok(None);
        }
        let path = self.path.join(OPTIMIZER);
        fs::read(&path).map(Some).map_err(RuntimeError::file("read", &path))
    }
}

/// What a checkpoint holds.
pub(super) struct Contents<'a, M> {
    pub stage: Stage,
    pub step: u64,
    pub elapsed_seconds: f64,
    pub model: &'a M,
    pub average: Option<&'a M>,
    pub optimizer: Vec<u8>,
    pub log: LogSums,
    /// Writes what a task trains beside the model into the checkpoint's folder.
    pub beside: &'a dyn Fn(&Path) -> Result<(), RuntimeError>,
    pub watchdog: Watchdog,
    pub collapse: Collapse,
    pub code_uses: Option<Uses>,
}

fn folder(run: &Path, stage: Stage) -> PathBuf {
    run.join("checkpoints").join(stage.name())
}

/// Writes a checkpoint and removes the oldest ones beyond `keep`.
pub(super) fn write<M: Module<Backend>>(run: &Path, contents: Contents<'_, M>, keep: usize) -> Result<Checkpoint, RuntimeError> {
    let state = State {
        format_version: FORMAT_VERSION,
        stage: contents.stage,
        step: contents.step,
        elapsed_seconds: contents.elapsed_seconds,
        ema: contents.average.is_some(),
        imported: false,
        log: contents.log,
        watchdog: contents.watchdog,
        collapse: contents.collapse,
        code_uses: contents.code_uses,
    };
    let written = publish(run, state, |temporary| {
        state::save_file(contents.model, &temporary.join(MODEL))?;
        if let Some(average) = contents.average {
            state::save_file(average, &temporary.join(EMA))?;
        }
        let optimizer = temporary.join(OPTIMIZER);
        fs::write(&optimizer, contents.optimizer).map_err(RuntimeError::file("write", &optimizer))?;
        (contents.beside)(temporary)
    })?;
    prune(run, contents.stage, keep)?;
    Ok(written)
}

/// Writes parameters of another program as the checkpoint before the first step; `write` gets the path of their file.
pub(crate) fn write_imported(
    run: &Path,
    stage: Stage,
    write: impl FnOnce(&Path) -> Result<(), RuntimeError>,
) -> Result<Checkpoint, RuntimeError> {
    let (format_version, log) = (FORMAT_VERSION, LogSums::default());
    let (watchdog, collapse) = (Watchdog::default(), Collapse::default());
    let (step, elapsed_seconds, ema, imported, code_uses) = (0, 0.0, false, true, None);
    let state = State { format_version, stage, step, elapsed_seconds, ema, imported, log, watchdog, collapse, code_uses };
    publish(run, state, |temporary| write(&temporary.join(MODEL)))
}

/// Lets `write` fill the folder, adds the state and gives it its name.
fn publish(run: &Path, state: State, write: impl FnOnce(&Path) -> Result<(), RuntimeError>) -> Result<Checkpoint, RuntimeError> {
    let parent = folder(run, state.stage);
    let path = parent.join(format!("step-{:08}", state.step));
    let temporary = parent.join(format!(".step-{:08}.partial", state.step));
    if read_state(&path)?.is_none() {
        // what a broken disk left of it
        remove(&path)?;
    }
    remove(&temporary)?;
    fs::create_dir_all(&temporary).map_err(RuntimeError::file("create", &temporary))?;
    write(&temporary)?;
    write_json(&temporary.join(STATE), &state)?;
    sync(&temporary)?;
    if path.exists() {
        remove(&temporary)?;
    } else {
        fs::rename(&temporary, &path).map_err(RuntimeError::file("rename", &temporary))?;
    }
    sync_folder(&parent)?;
    Ok(state.at(path))
}

/// The state of a checkpoint folder; `None` when it is not whole.
fn read_state(path: &Path) -> Result<Option<State>, RuntimeError> {
    let Ok(state) = read_json::<Value>(&path.join(STATE)) else { return Ok(None) };
    let state = migrate_state(path, state)?;
    serde_json::from_value(state).map(Some).map_err(|error| RuntimeError::content(&path.join(STATE), error))
}

/// The newest whole checkpoint of a stage.
///
/// # Errors
/// When the folder cannot be read, or a checkpoint is of a format version that this program does not read.
pub fn newest(run: &Path, stage: Stage) -> Result<Option<Checkpoint>, RuntimeError> {
    for path in list(run, stage)?.into_iter().rev() {
        match read_state(&path)? {
            Some(state) => return Ok(Some(state.at(path))),
            None => tracing::warn!("leaving out `{}`, which is not a whole checkpoint", path.display()),
        }
    }
    Ok(None)
}

/// All whole checkpoints of a stage that are kept, oldest first.
///
/// # Errors
/// When the folder cannot be read, or a checkpoint is of a format version that this program does not read.
pub fn kept(run: &Path, stage: Stage) -> Result<Vec<Checkpoint>, RuntimeError> {
    let states = list(run, stage)?.into_iter().map(|path| Ok(read_state(&path)?.map(|state| state.at(path))));
    states.filter_map(Result::transpose).collect()
}

/// The checkpoint folders of a stage, oldest first; names are padded, so they sort by step.
fn list(run: &Path, stage: Stage) -> Result<Vec<PathBuf>, RuntimeError> {
    let parent = folder(run, stage);
    let entries = match fs::read_dir(&parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RuntimeError::file("read", &parent)(error)),
    };
    let is_checkpoint = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("step-"));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_checkpoint).collect();
    paths.sort();
    Ok(paths)
}

fn prune(run: &Path, stage: Stage, keep: usize) -> Result<(), RuntimeError> {
    let paths = list(run, stage)?;
    paths[..paths.len().saturating_sub(keep)].iter().try_for_each(|path| remove(path))
}

fn remove(path: &Path) -> Result<(), RuntimeError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RuntimeError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Waits until the files of a folder are on the disk: a rename must not overtake what it names.
fn sync(path: &Path) -> Result<(), RuntimeError> {
    for entry in fs::read_dir(path).map_err(RuntimeError::file("read", path))?.flatten() {
        let file = entry.path();
        File::open(&file).and_then(|handle| handle.sync_all()).map_err(RuntimeError::file("sync", &file))?;
    }
    sync_folder(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), RuntimeError> {
    File::open(path).and_then(|handle| handle.sync_all()).map_err(RuntimeError::file("sync", path))
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), RuntimeError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with_state(state: &Value) -> tempfile::TempDir {
        let run = tempfile::tempdir().unwrap();
        write_json(&folder(run.path(), Stage::Tokenizer).join("step-00000007").join(STATE), state).unwrap();
        run
    }

    #[test]
    fn a_checkpoint_of_version_1_is_read() {
        let state = json!({
            "format_version": 1, "stage": "tokenizer", "step": 7, "elapsed_seconds": 2.5, "ema": true, "log": {"sums": {}, "steps": 0}
        });
        let run = with_state(&state);
        let checkpoint = newest(run.path(), Stage::Tokenizer).unwrap().unwrap();
        assert_eq!((checkpoint.step, checkpoint.ema, checkpoint.imported), (7, true, false));
        // nothing was written: the old program still reads it
        assert_eq!(read_json::<Value>(&checkpoint.path.join(STATE)).unwrap(), state);
    }

    #[test]
    fn a_checkpoint_of_a_newer_version_is_refused_with_the_reason() {
        let run = with_state(&json!({"format_version": 3, "unheard_of": true}));
        let error = newest(run.path(), Stage::Tokenizer).unwrap_err().to_string();
        let expected =
            "the checkpoint is of format version 3, and this program reads 1 to 2: a newer program wrote it; update this one";
        assert!(error.ends_with(expected), "{error}");
    }

    #[test]
    fn an_imported_checkpoint_has_no_optimiser_and_is_the_newest_until_a_step_is_done() {
        let run = tempfile::tempdir().unwrap();
        let written = write_imported(run.path(), Stage::Generator, |path| {
            fs::write(path, "weights").map_err(RuntimeError::file("write", path))
        });
        let found = newest(run.path(), Stage::Generator).unwrap().unwrap();
        assert_eq!(found, written.unwrap());
        assert_eq!((found.step, found.optimizer().unwrap()), (0, None));
        assert_eq!(fs::read_to_string(found.weights()).unwrap(), "weights");
    }
}
