//! The folder of a run.
//!
//! ```text
//! run/run.json  pipeline.toml  data.json  environment.json  metrics.jsonl  tensorboard/  summary.json  problems.jsonl  report.html
//! run/checkpoints/<stage>/step-00000100/{model.safetensors, ema.safetensors, optimizer.bin, state.json}
//! run/samples/<stage>/step-00000100/    run/tokens/<hash>.safetensors
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::RuntimeError;
use crate::data::Dataset;
use crate::format::{self, FORMAT_VERSION};
use crate::media::write_atomically;
use crate::pipeline::{Pipeline, Source};
use crate::report::files::{PIPELINE, PROBLEMS};
use crate::report::{Stage, read_json, write_json, write_problems};

const DATA: &str = "data.json";

const RUN: &str = "run.json";

/// The keys that an imported run takes over from those who train it: it came without them.
const OPEN_KEYS: [&str; 8] = ["critic", "data", "losses", "name", "perceptual", "preset", "sampling", "train"];

/// What a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Version of the layout of the folder.
    pub format_version: u32,
    /// The checkpoints that another program trained.
    pub imported: Vec<Origin>,
}

impl Default for RunRecord {
    fn default() -> Self {
        Self { format_version: FORMAT_VERSION, imported: Vec::new() }
    }
}

/// Where an imported checkpoint is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The stage that it takes the place of.
    pub stage: Stage,
    /// The folder, file or hub id that was named.
    pub source: String,
    /// How the other program saves models.
    pub layout: String,
    /// Decay of the average over training that was taken instead of the parameters.
    pub average: Option<String>,
}

/// What a run knows of its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// Names of the classes, in label order.
    pub classes: Vec<String>,
    /// SHA-256 of settings and files; empty while an imported run has no data yet.
    pub fingerprint: String,
}

impl DataRecord {
    fn of(dataset: &dyn Dataset) -> Self {
        Self { classes: dataset.classes().to_vec(), fingerprint: dataset.fingerprint() }
    }
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
        let data = DataRecord::of(dataset);
        let file = run.path.join(PIPELINE);
        if !file.exists() {
            run.write(&settings, &data, &RunRecord::default())?;
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
        let (known, record) = (run.data()?, run.record()?);
        if known.fingerprint.is_empty() {
            return run.adopt(&settings, &data, record, changes);
        }
        if known != data {
            changes.push("the files of the data set".into());
        }
        if changes.is_empty() { Ok(run) } else { Err(RuntimeError::Changed { path: run.path, changes }) }
    }

    /// Takes other settings and data from here on.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn change(&self, pipeline: &Pipeline, dataset: &dyn Dataset) -> Result<(), RuntimeError> {
        let settings = toml::to_string(pipeline).map_err(|error| RuntimeError::content(&self.path, error))?;
        self.write(&settings, &DataRecord::of(dataset), &self.record()?)
    }

    /// Gives an imported run its data and how it is trained; what it is built of stays.
    fn adopt(self, settings: &str, data: &DataRecord, record: RunRecord, changes: Vec<String>) -> Result<Self, RuntimeError> {
        let is_open = |change: &String| {
            let key = change.trim_start_matches('`');
            OPEN_KEYS.iter().any(|open| key.strip_prefix(open).is_some_and(|rest| rest.starts_with(['.', '`'])))
        };
        let changes: Vec<String> = changes.into_iter().filter(|change| !is_open(change)).collect();
        if !changes.is_empty() {
            return Err(RuntimeError::Changed { path: self.path, changes });
        }
        let generator = record.imported.iter().any(|origin| origin.stage == Stage::Generator);
        let (known, new) = (self.data()?.classes.len(), data.classes.len());
        if generator && known != 0 && known != new {
            let message = format!("its imported generator knows {known} classes, and the data has {new}; use data with as many");
            return Err(RuntimeError::Run { path: self.path, message });
        }
        self.write(settings, data, &record)?;
        Ok(self)
    }

    /// Writes what makes a folder a run.
    pub(crate) fn write(&self, settings: &str, data: &DataRecord, record: &RunRecord) -> Result<(), RuntimeError> {
        write_json(&self.path.join(RUN), record)?;
        write_json(&self.path.join(DATA), data)?;
        // last: a folder with it is a run
        let write = |path: &Path| fs::write(path, settings).map_err(RuntimeError::file("write", path));
        write_atomically(&self.path.join(PIPELINE), write)
    }

    /// What it is; a folder of the first version does not say it.
    ///
    /// # Errors
    /// When the file cannot be read, or is of a format version that this program does not read.
    pub fn record(&self) -> Result<RunRecord, RuntimeError> {
        let path = self.path.join(RUN);
        if !path.exists() {
            return Ok(RunRecord::default());
        }
        let record: serde_json::Value = read_json(&path)?;
        let version = record.get("format_version").and_then(serde_json::Value::as_u64).unwrap_or_default();
        format::check(&self.path, "the run", version)?;
        serde_json::from_value(record).map_err(|error| RuntimeError::content(&path, error))
    }

    /// A run that was started before.
    ///
    /// # Errors
    /// When there is none, or it is of a format version that this program does not read.
    pub fn open(path: &Path) -> Result<Self, RuntimeError> {
        let run = Self { path: path.to_owned() };
        if run.path.join(PIPELINE).is_file() {
            run.record()?;
            return Ok(run);
        }
        let message = format!("it holds no `{PIPELINE}`, so it is no run; `train`, `demo` and `import` make one");
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

    fn imported(run: &RunFolder, stages: &[Stage]) {
        let origin = |stage: &Stage| Origin { stage: *stage, source: "a".into(), layout: "b".into(), average: None };
        let record = RunRecord { imported: stages.iter().map(origin).collect(), ..Default::default() };
        let data = DataRecord { classes: vec!["x".into(), "y".into()], fingerprint: String::new() };
        run.write("name = \"a\"\n", &data, &record).unwrap();
    }

    #[test]
    fn an_imported_run_takes_over_data_and_training_but_keeps_its_parts() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder { path: folder.path().into() };
        imported(&run, &[Stage::Tokenizer]);
        let data = DataRecord { classes: vec!["z".into()], fingerprint: "f".into() };
        let changes = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`: 1 -> 2")).collect::<Vec<_>>();
        let record = run.record().unwrap();
        let error = run.clone().adopt("", &data, record.clone(), changes(&["train.seed", "encoder.dim"])).unwrap_err();
        assert!(error.to_string().contains("started with other settings: `encoder.dim`: 1 -> 2;"), "{error}");
        run.clone().adopt("name = \"b\"\n", &data, record, changes(&["train.seed", "name", "data.path"])).unwrap();
        assert_eq!(run.data().unwrap(), data);
    }

    #[test]
    fn an_imported_generator_is_not_trained_on_other_classes() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder { path: folder.path().into() };
        imported(&run, &[Stage::Tokenizer, Stage::Generator]);
        let data = DataRecord { classes: vec!["z".into()], fingerprint: "f".into() };
        let record = run.record().unwrap();
        let error = run.adopt("", &data, record, Vec::new()).unwrap_err().to_string();
        assert!(error.contains("knows 2 classes, and the data has 1"), "{error}");
    }

    #[test]
    fn a_run_of_version_1_opens_and_one_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PIPELINE), "").unwrap();
        let run = RunFolder::open(folder.path()).unwrap();
        assert_eq!(run.record().unwrap(), RunRecord::default());
        fs::write(folder.path().join(RUN), r#"{"format_version": 3, "unheard_of": 1}"#).unwrap();
        let error = RunFolder::open(folder.path()).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "the run is of format version 3, and this program reads 1 to 2: a newer program wrote it; update this one"
            ),
            "{error}"
        );
    }
}
