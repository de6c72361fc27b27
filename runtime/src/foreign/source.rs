//! What a user names, opened: settings where there are any, and tensors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use larp_traits::foreign::layouts;
use larp_traits::weights::{self, WeightTensor};
use serde_json::Value;

use super::{ImportError, hub};
use crate::RuntimeError;

const CONFIG: &str = "config.json";
const WEIGHTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// Which average of the parameters over training to take instead of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Average {
    /// The only one there is.
    Only,
    /// The one with this decay.
    Decay(String),
}

/// A model of another program.
#[derive(Debug)]
pub(super) struct Found {
    /// What the user named.
    pub source: String,
    /// Its own name.
    pub name: String,
    pub settings: Option<Value>,
    pub tensors: BTreeMap<String, WeightTensor>,
    /// The decay of the average that `tensors` are.
    pub average: Option<String>,
}

/// Opens a folder, a file or a model of the hub.
pub(super) fn open(source: &str, average: Option<&Average>) -> Result<Found, RuntimeError> {
    let path = Path::new(source);
    let (weights, config) = if path.is_dir() {
        let weights = WEIGHTS.iter().map(|name| path.join(name)).find(|file| file.is_file());
        let missing = || ImportError::Folder { path: path.into(), expected: WEIGHTS };
        (weights.ok_or_else(missing)?, Some(path.join(CONFIG)).filter(|file| file.is_file()))
    } else if path.is_file() {
        // a file of a folder is as good as the folder
        let beside = WEIGHTS.iter().any(|name| path.ends_with(name)).then(|| path.with_file_name(CONFIG));
        (path.to_owned(), beside.filter(|file| file.is_file()))
    } else if hub::is_id(source) {
        let mut files = hub::fetch(source, [CONFIG, WEIGHTS[0]])?;
        (files.remove(1), Some(files.remove(0)))
    } else {
        return Err(ImportError::NotFound { name: source.into() }.into());
    };
    let settings = config.map(|config| read_settings(&config)).transpose()?;
    let weights = weights::read(&weights).map_err(ImportError::from)?;
    let checkpoint = match settings {
        Some(_) => None,
        None => layouts().into_iter().find_map(|layout| (layout.find)(&weights.values)),
    };
    let name = path.file_stem().filter(|_| path.is_file()).or_else(|| path.file_name());
    let name = name.map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "model" && name != ".");
    let mut found = Found {
        source: source.into(),
        name: name.unwrap_or_else(|| "imported".into()),
        settings,
        tensors: BTreeMap::new(),
        average: None,
    };
    let Some(checkpoint) = checkpoint else {
        if average.is_some() {
            let advice = "leave `--ema` out";
            return Err(ImportError::Average { source_name: found.source, known: Vec::new(), advice }.into());
        }
        return Ok(Found { tensors: weights.tensors, ..found });
    };
    let mut prefix = &checkpoint.prefix;
    if let Some(average) = average {
        let (decay, of_average) = choose(source, &checkpoint.averages, average)?;
        found.average = Some(decay.clone());
        prefix = of_average;
    }
    Ok(Found { tensors: weights.below(prefix), settings: Some(checkpoint.settings), ..found })
}

fn choose<'a>(source: &str, known: &'a [(String, String)], wanted: &Average) -> Result<&'a (String, String), ImportError> {
    let chosen = match wanted {
        Average::Only => known.first().filter(|_| known.len() == 1),
        // 0.9990 is 0.999
        Average::Decay(decay) => {
            known.iter().find(|(known, _)| known == decay || number(known).is_some_and(|a| number(decay) == Some(a)))
        }
    };
    chosen.ok_or_else(|| ImportError::Average {
        source_name: source.into(),
        known: known.iter().map(|(decay, _)| decay.clone()).collect(),
        advice: if known.is_empty() { "leave `--ema` out" } else { "choose one by `--ema=DECAY`" },
    })
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn read_settings(path: &PathBuf) -> Result<Value, RuntimeError> {
    let text = fs::read(path).map_err(RuntimeError::file("read", path))?;
    Ok(serde_json::from_slice(&text).map_err(|source| ImportError::Json { path: path.clone(), source })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_chosen_by_its_decay_or_when_it_is_the_only_one() {
        let of = |decays: &[&str]| decays.iter().map(|decay| ((*decay).to_owned(), format!("{decay}."))).collect::<Vec<_>>();
        assert_eq!(choose("a", &of(&["0.999"]), &Average::Only).unwrap().1, "0.999.");
        assert_eq!(choose("a", &of(&["0.99", "0.999"]), &Average::Decay("0.9990".into())).unwrap().1, "0.999.");
        let error = choose("a", &of(&["0.99", "0.999"]), &Average::Only).unwrap_err().to_string();
        assert_eq!(error, "`a` has averages with the decays 0.99, 0.999; choose one by `--ema=DECAY`");
        let error = choose("a", &[], &Average::Only).unwrap_err().to_string();
        assert_eq!(error, "`a` has no averages of its parameters; leave `--ema` out");
    }

    #[test]
    fn a_name_that_is_nothing_is_refused() {
        let error = open("no/such/thing", None).unwrap_err().to_string();
        assert_eq!(error, "there is no folder or file `no/such/thing`, and it is no `owner/name` of the Hugging Face hub");
        let folder = tempfile::tempdir().unwrap();
        let error = open(&folder.path().to_string_lossy(), None).unwrap_err().to_string();
        assert!(error.ends_with("holds none of `model.safetensors`, `pytorch_model.bin`"), "{error}");
    }
}
