//! The folder of an ablation.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::error::AblateError;
use super::plan::{Plan, SubRun};
use crate::RuntimeError;
use crate::media::{FileError, write_atomically};
use crate::report::files::{PIPELINE, SUMMARY};
use crate::report::{Summary, read_json, write_json};
use crate::run::differences;

const ABLATION: &str = "ablation.toml";

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "error", rename_all = "kebab-case")]
pub enum RunState {
    /// Not begun.
    Missing,
    /// Begun, and to be resumed.
    Unfinished,
    /// All steps are done.
    Finished,
    /// It ended with this error.
    Failed(String),
}

/// An ablation folder that this process alone works in.
#[derive(Debug)]
pub struct AblationFolder {
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

/// Values of one variant and seed, and the settings they were measured under.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub settings: Table,
    #[serde(with = "crate::report::values")]
    pub values: BTreeMap<String, f64>,
    /// Wanted metrics that the run does not have.
    pub absent: Vec<String>,
}

impl AblationFolder {
    /// Makes the folder, or goes on with it.
    ///
    /// # Errors
    /// When there is an ablation and it is not to be resumed, another process works in it, or a run in it has other settings.
    pub fn start(path: &Path, plan: &Plan, resume: bool) -> Result<Self, AblateError> {
        let file = path.join(ABLATION);
        let refuse = |message: String| AblateError::Folder { path: path.into(), message };
        if file.exists() && !resume {
            return Err(refuse(
                "there is an ablation in it already; go on with it by `--resume`, or choose another folder".into(),
            ));
        }
        fs::create_dir_all(path).map_err(FileError::at("create the folder", path))?;
        let lock_path = path.join(".lock");
        let lock = File::create(&lock_path).map_err(FileError::at("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse("another `ablate` works in it; wait for its end".into())),
            Err(TryLockError::Error(source)) => return Err(FileError::at("lock", &lock_path)(source).into()),
        }
        let folder = Self { path: path.into(), _lock: lock };
        for run in plan.runs() {
            folder.check(plan, run)?;
        }
        let text = toml::to_string(&plan.file).map_err(|error| RuntimeError::content(&file, error))?;
        write_atomically(&file, |path| fs::write(path, text).map_err(FileError::at("write", path)))?;
        Ok(folder)
    }

    /// The run folder.
    pub fn run(&self, plan: &Plan, run: SubRun) -> PathBuf {
        self.path.join(run_path(plan, run))
    }

    pub(super) fn pipeline(&self, plan: &Plan, run: SubRun) -> PathBuf {
        self.path.join("pipelines").join(format!("{}.toml", file_stem(plan, run)))
    }

    pub(super) fn log(&self, plan: &Plan, run: SubRun) -> PathBuf {
        self.path.join("logs").join(format!("{}.log", file_stem(plan, run)))
    }

    /// What is known of a run by its files alone: a failure is known only to the process that saw it.
    pub fn state(&self, plan: &Plan, run: SubRun) -> RunState {
        let folder = self.run(plan, run);
        if !folder.join(PIPELINE).is_file() {
            return RunState::Missing;
        }
        match read_json::<Summary>(&folder.join(SUMMARY)) {
            Ok(summary) if summary.complete => RunState::Finished,
            _ => RunState::Unfinished,
        }
    }

    pub(super) fn measured(&self, plan: &Plan, run: SubRun) -> Result<Measured, AblateError> {
        let wrong = |error: toml::ser::Error| RuntimeError::content(&self.path, error);
        let mut settings = Table::try_from(plan.pipeline(run)?).map_err(wrong)?;
        settings.insert("protocol".into(), Value::try_from(&plan.file.protocol).map_err(wrong)?);
        let path = self.measured_path(plan, run);
        let known: Measured = if path.is_file() { read_json(&path)? } else { Measured::default() };
        // values of other settings, such as another guidance, are not this variant's
        Ok(if known.settings == settings { known } else { Measured { settings, ..Measured::default() } })
    }

    pub(super) fn write_measured(&self, plan: &Plan, run: SubRun, measured: &Measured) -> Result<(), AblateError> {
        Ok(write_json(&self.measured_path(plan, run), measured)?)
    }

    fn measured_path(&self, plan: &Plan, run: SubRun) -> PathBuf {
        self.path.join("measured").join(format!("{}.json", file_stem(plan, run)))
    }

    /// A finished run is not looked at again by `train`, so its settings are compared here.
    fn check(&self, plan: &Plan, run: SubRun) -> Result<(), AblateError> {
        let folder = self.run(plan, run);
        let file = folder.join(PIPELINE);
        if !file.is_file() {
            return Ok(());
        }
        let old = fs::read_to_string(&file).map_err(FileError::at("read", &file))?;
        let old: Table = old.parse().map_err(|error| RuntimeError::content(&file, error))?;
        let new = Table::try_from(plan.pipeline(run)?).map_err(|error| RuntimeError::content(&file, error))?;
        let mut changes = Vec::new();
        differences("", &old.into(), &new.into(), &mut changes);
        if changes.is_empty() { Ok(()) } else { Err(RuntimeError::Changed { path: folder, changes }.into()) }
    }
}

/// Relative to the ablation's folder.
pub(super) fn run_path(plan: &Plan, run: SubRun) -> PathBuf {
    Path::new("runs").join(&plan.variants[run.variant].slug).join(format!("seed-{}", run.seed))
}

fn file_stem(plan: &Plan, run: SubRun) -> String {
    format!("{}-seed-{}", plan.variants[run.variant].slug, run.seed)
}
