//! Checkpoints: a folder each, written under a temporary name and renamed when it is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::module::Module;
use larp_traits::{Backend, state};
use serde::{Deserialize, Serialize};

use super::collapse::Collapse;
use super::dead_codes::Uses;
use super::watchdog::Watchdog;
use crate::RuntimeError;
use crate::report::{Stage, read_json, write_json};

/// Version of the layout of run folders and checkpoints.
pub(crate) const FORMAT_VERSION: u32 = 1;

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
    pub(super) log: LogSums,
    pub(super) watchdog: Watchdog,
    pub(super) collapse: Collapse,
    pub(super) code_uses: Option<Uses>,
}

impl State {
    fn at(self, path: PathBuf) -> Checkpoint {
        let Self { step, elapsed_seconds, ema, log, watchdog, collapse, code_uses, .. } = self;
        Checkpoint { path, step, elapsed_seconds, ema, log, watchdog, collapse, code_uses }
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

    pub(super) fn optimizer(&self) -> Result<Vec<u8>, RuntimeError> {
        let path = self.path.join(OPTIMIZER);
        fs::read(&path).map_err(RuntimeError::file("read", &path))
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
    pub watchdog: Watchdog,
    pub collapse: Collapse,
    pub code_uses: Option<Uses>,
}

fn folder(run: &Path, stage: Stage) -> PathBuf {
    run.join("checkpoints").join(stage.name())
}

/// Writes a checkpoint and removes the oldest ones beyond `keep`.
pub(super) fn write<M: Module<Backend>>(run: &Path, contents: Contents<'_, M>, keep: usize) -> Result<Checkpoint, RuntimeError> {
    let parent = folder(run, contents.stage);
    let path = parent.join(format!("step-{:08}", contents.step));
    let temporary = parent.join(format!(".step-{:08}.partial", contents.step));
    if read_json::<State>(&path.join(STATE)).is_err() {
        // what a broken disk left of it
        remove(&path)?;
    }
    remove(&temporary)?;
    fs::create_dir_all(&temporary).map_err(RuntimeError::file("create", &temporary))?;
    state::save_file(contents.model, &temporary.join(MODEL))?;
    if let Some(average) = contents.average {
        state::save_file(average, &temporary.join(EMA))?;
    }
    let optimizer = temporary.join(OPTIMIZER);
    fs::write(&optimizer, contents.optimizer).map_err(RuntimeError::file("write", &optimizer))?;
    let state = State {
        format_version: FORMAT_VERSION,
        stage: contents.stage,
        step: contents.step,
        elapsed_seconds: contents.elapsed_seconds,
        ema: contents.average.is_some(),
        log: contents.log,
        watchdog: contents.watchdog,
        collapse: contents.collapse,
        code_uses: contents.code_uses,
    };
    write_json(&temporary.join(STATE), &state)?;
    sync(&temporary)?;
    if path.exists() {
        remove(&temporary)?;
    } else {
        fs::rename(&temporary, &path).map_err(RuntimeError::file("rename", &temporary))?;
    }
    sync_folder(&parent)?;
    prune(run, contents.stage, keep)?;
    Ok(state.at(path))
}

/// The newest whole checkpoint of a stage.
///
/// # Errors
/// When the folder cannot be read, or a checkpoint is of another format version.
pub fn newest(run: &Path, stage: Stage) -> Result<Option<Checkpoint>, RuntimeError> {
    for path in list(run, stage)?.into_iter().rev() {
        let Ok(state) = read_json::<State>(&path.join(STATE)) else {
            tracing::warn!("leaving out `{}`, which is not a whole checkpoint", path.display());
            continue;
        };
        if state.format_version != FORMAT_VERSION {
            let found = state.format_version;
            let message = format!("a checkpoint of format version {found}; this program reads version {FORMAT_VERSION}");
            return Err(RuntimeError::content(&path, message));
        }
        return Ok(Some(state.at(path)));
    }
    Ok(None)
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
