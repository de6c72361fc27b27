//! Cases from files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use larp_plugins::released::NamedTensor;
use larp_traits::tensor::TensorData;
use larp_traits::{Device, Int, Tensor};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// The folder of the cases.
pub fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    match std::env::var_os("LARP_PARITY_DIR") {
        // a relative path is meant from where cargo was called, the workspace, and tests run in their package
        Some(folder) => package.parent().unwrap_or(package).join(folder),
        None => package.join("data/parity"),
    }
}

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Encoder, quantizer, decoder, prior.
    Tokenizer,
    /// The model of tokens.
    Generator,
    /// The discriminator.
    Discriminator,
    /// None of these.
    Unknown,
}

/// Values of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// float32.
    Floats(Vec<f32>),
    /// int64.
    Ints(Vec<i64>),
}

/// One case.
#[derive(Debug)]
pub struct Case {
    /// The name of its files.
    pub name: String,
    /// Its json.
    pub info: Value,
    tensors: BTreeMap<String, (Vec<usize>, Values)>,
}

impl Case {
    /// All cases of a folder, by name.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, String> {
        let entries = std::fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
        let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        if files.is_empty() {
            return Err(format!("no parity cases (json files) in `{}`", folder.display()));
        }
        files.iter().map(|path| Self::load(path)).collect()
    }

    fn load(json: &Path) -> Result<Self, String> {
        let named = |path: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
        let tensors = json.with_extension("safetensors");
        let text = std::fs::read_to_string(json).map_err(|error| named(json, &error))?;
        let bytes = std::fs::read(&tensors).map_err(|error| named(&tensors, &error))?;
        Ok(Self {
            name: json.file_stem().unwrap_or_default().to_string_lossy().into(),
            info: serde_json::from_str(&text).map_err(|error| named(json, &error))?,
            tensors: read(&bytes).map_err(|error| named(&tensors, &error))?,
        })
    }

    /// What it is about, by its arguments.
    pub fn kind(&self) -> Kind {
        let has = |key| self.info["model"].get(key).is_some();
        if has("bottleneck") {
            Kind::Tokenizer
        } else if has("vocab_size") {
            Kind::Generator
        } else if self.tensors.keys().any(|name| name.starts_with("out.logits_real")) {
            Kind::Discriminator
        } else {
            Kind::Unknown
        }
    }

    /// The float tensors under a prefix (`state.`, `grad.`), without it.
    pub fn floats(&self, prefix: &str) -> Vec<NamedTensor> {
        let named = self.tensors.iter().filter_map(|(name, (shape, values))| match values {
            Values::Floats(values) => {
                Some(NamedTensor { name: name.strip_prefix(prefix)?.into(), shape: shape.clone(), values: values.clone() })
            }
            Values::Ints(_) => None,
        });
        named.collect()
    }

    /// Names under a prefix, whole.
    pub fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.tensors.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// Shape and values of a tensor.
    pub fn get(&self, name: &str) -> Option<&(Vec<usize>, Values)> {
        self.tensors.get(name)
    }

    /// A float input.
    pub fn input<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        match self.get(name) {
            Some((shape, Values::Floats(values))) => Tensor::from_data(TensorData::new(values.clone(), shape.clone()), device),
            _ => panic!("{}: no float tensor `{name}`", self.name),
        }
    }

    /// A float input of no axes.
    pub fn scalar(&self, name: &str) -> f32 {
        match self.get(name) {
            Some((_, Values::Floats(values))) if values.len() == 1 => values[0],
            _ => panic!("{}: no float scalar `{name}`", self.name),
        }
    }

    /// An int input.
    pub fn ints<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D, Int> {
        match self.get(name) {
            Some((shape, Values::Ints(values))) => Tensor::from_data(TensorData::new(values.clone(), shape.clone()), device),
            _ => panic!("{}: no int tensor `{name}`", self.name),
        }
    }
}

fn read(bytes: &[u8]) -> Result<BTreeMap<String, (Vec<usize>, Values)>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let tensors = file.tensors().into_iter().map(|(name, view)| {
        let values = match view.dtype() {
            Dtype::F32 => Values::Floats(chunks(view.data()).map(f32::from_le_bytes).collect()),
            Dtype::I64 => Values::Ints(chunks(view.data()).map(i64::from_le_bytes).collect()),
            other => return Err(format!("`{name}` is {other:?}")),
        };
        Ok((name, (view.shape().to_vec(), values)))
    });
    tensors.collect()
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}
