//! The folder of a run.
//!
//! ```text
//! run/pipeline.toml  data.json  environment.json  metrics.jsonl  tensorboard/  summary.json  problems.jsonl  report.html
//! run/checkpoints/<stage>/step-00000100/{model.safetensors, ema.safetensors, optimizer.bin, state.json}
//! run/samples/<stage>/step-00000100/    run/tokens/<hash>.safetensors
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::RuntimeError;
use crate::data::Dataset;
use crate::media::write_atomically;
use crate::pipeline::{Pipeline, Source};
use crate::report::files::{PIPELINE, PROBLEMS};
use crate::report::{read_json, write_json, write_problems};

const DATA: &str = "data.json";

/// What a run knows of its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// Names of the classes, in label order.
    pub classes: Vec<String>,
    /// SHA-256 of settings and files.
    pub fingerprint: String,
}

/// A run folder that exists.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// Where it is.
    pub path: PathBuf,
}

impl RunFolder {
    /// Makes a run folder, or goes on with one.
    ///
    /// # Errors
    /// When a run is there and is not to be resumed, or was started with other settings or data.
    pub fn start(path: &Path, pipeline: &Pipeline, dataset: &dyn Dataset, resume: bool) -> Result<Self, RuntimeError> {
        let run = Self { path: path.to_owned() };
        let settings = toml::to_string(pipeline).map_err(|error| RuntimeError::content(&run.path, error))?;
        let data = DataRecord { classes: dataset.classes().to_vec(), fingerprint: dataset.fingerprint() };
        let file = run.path.join(PIPELINE);
        if !file.exists() {
            write_json(&run.path.join(DATA), &data)?;
            // last: a folder with it is a run
            write_atomically(&file, |path| fs::write(path, &settings).map_err(RuntimeError::file("write", path)))?;
            return Ok(run);
        }
        if !resume {
            let message = "there is a run in it already; go on with it by `--resume`, or choose another folder".into();
            return Err(RuntimeError::Run { path: run.path, message });
        }
        let old = fs::read_to_string(&file).map_err(RuntimeError::file("read", &file))?;
        let old = old.parse::<Table>().map_err(|error| RuntimeError::content(&file, error))?;
        let new = settings.parse::<Table>().map_err(|error| RuntimeError::content(&file, error))?;
        let mut changes = Vec::new();
        differences("", &Value::Table(old), &Value::Table(new), &mut changes);
        let known = run.data()?;
        if known != data {
            changes.push("the files of the data set".into());
        }
        if changes.is_empty() { Ok(run) } else { Err(RuntimeError::Changed { path: run.path, changes }) }
    }

    /// A run that was started before.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self, RuntimeError> {
        let run = Self { path: path.to_owned() };
        if run.path.join(PIPELINE).is_file() {
            return Ok(run);
        }
        let message = format!("it holds no `{PIPELINE}`, so it is no run; `train` and `demo` make one");
        Err(RuntimeError::Run { path: run.path, message })
    }

    /// Its settings.
    ///
    /// # Errors
    /// When the file cannot be read, or a plugin of it is not in this program.
    pub fn pipeline(&self) -> Result<Pipeline, RuntimeError> {
        Ok(Source::open(&self.path.join(PIPELINE).to_string_lossy())?.pipeline()?)
    }

    /// What it knows of its data.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn data(&self) -> Result<DataRecord, RuntimeError> {
        Ok(read_json(&self.path.join(DATA))?)
    }

    /// Writes the list of files that could not be decoded, if there are any.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_problems(&self, dataset: &dyn Dataset) -> Result<(), RuntimeError> {
        let problems = dataset.problems().list();
        if problems.is_empty() {
            return Ok(());
        }
        Ok(write_problems(&self.path.join(PROBLEMS), &problems)?)
    }
}

/// `key: old -> new` for each value that differs.
pub(crate) fn differences(key: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Table(old), Value::Table(new)) => {
            let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let inner = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => differences(&inner, old, new, found),
                    (Some(old), None) => found.push(format!("`{inner}`: {old} -> nothing")),
                    (None, Some(new)) => found.push(format!("`{inner}`: nothing -> {new}")),
                    (None, None) => {}
                }
            }
        }
        _ if old != new => found.push(format!("`{key}`: {old} -> {new}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_keys_and_both_values() {
        let old: Table = "a = 1\n[b]\nc = 2\nd = 3".parse().unwrap();
        let new: Table = "a = 1\n[b]\nc = 5\ne = 4".parse().unwrap();
        let mut found = Vec::new();
        differences("", &Value::Table(old), &Value::Table(new), &mut found);
        assert_eq!(found, ["`b.c`: 2 -> 5", "`b.d`: 3 -> nothing", "`b.e`: nothing -> 4"]);
    }
}
