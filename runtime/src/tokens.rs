//! Tokens of a data set, computed once and kept in a safetensors file.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use larp_traits::tensor::ints_to_host;
use larp_traits::{Device, Draw, Int, Tensor, burn::tensor::TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sha2::{Digest, Sha256};

use crate::RuntimeError;
use crate::convert::to_tensor;
use crate::data::Sample;
use crate::media::write_atomically;
use crate::model::Tokenizer;
use crate::predict::condition_tokens;

/// Label of a clip without a class.
pub const NO_CLASS: i32 = -1;

/// Token sequences with their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Tokens a sequence.
    pub length: usize,
    /// Row-major, `[clips, length]`.
    pub values: Vec<i32>,
    /// `[clips]`; [`NO_CLASS`] for clips without one.
    pub labels: Vec<i32>,
    /// Tokens of the given frames, `[clips, length]`; `None` where nothing is predicted from frames.
    pub conditions: Option<Vec<i32>>,
}

impl Tokens {
    /// No sequence yet.
    pub fn new(length: usize) -> Self {
        Self { length, values: Vec::new(), labels: Vec::new(), conditions: None }
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Tokenizes clips and adds them, with the tokens of their first `given` frames where these are conditions. The tokenizer must be
    /// without gradients.
    pub fn add(&mut self, tokenizer: &Tokenizer, samples: &[Sample], given: Option<usize>, device: &Device) {
        let video = to_tensor(samples.iter().map(|sample| &sample.clip), device);
        let host = |tokens| ints_to_host(tokens).into_iter().map(|token| token as i32);
        if let Some(given) = given {
            let tokens = condition_tokens(tokenizer, video.clone(), given, Draw::Deterministic);
            self.conditions.get_or_insert_default().extend(host(tokens));
        }
        self.values.extend(host(tokenizer.quantize(video, Draw::Deterministic).tokens));
        self.labels.extend(samples.iter().map(|sample| sample.label.map_or(NO_CLASS, |label| label as i32)));
    }

    /// Sequences and labels of some clips.
    ///
    /// # Shapes
    /// - tokens: `[batch, tokens]`
    /// - labels: `[batch]`; `no_class` for clips without one
    pub fn batch(&self, clips: &[usize], no_class: usize, device: &Device) -> TokenBatch {
        let tokens = |values: &[i32]| {
            let chosen: Vec<i32> = clips.iter().flat_map(|&clip| &values[clip * self.length..][..self.length]).copied().collect();
            Tensor::from_data(TensorData::new(chosen, [clips.len(), self.length]), device)
        };
        let label = |&clip: &usize| if self.labels[clip] == NO_CLASS { no_class as i32 } else { self.labels[clip] };
        let labels: Vec<i32> = clips.iter().map(label).collect();
        TokenBatch {
            tokens: tokens(&self.values),
            labels: Tensor::from_data(TensorData::new(labels, [clips.len()]), device),
            conditions: self.conditions.as_deref().map(tokens),
        }
    }

    /// Writes `tokens [clips, length]`, `labels [clips]` and, where there are any, `conditions [clips, length]`, all int32, with what is
    /// known of them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, metadata: HashMap<String, String>) -> Result<(), RuntimeError> {
        let bytes = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        let (values, labels, conditions) = (bytes(&self.values), bytes(&self.labels), self.conditions.as_deref().map(bytes));
        let view = |shape, data| TensorView::new(Dtype::I32, shape, data).map_err(|error| RuntimeError::content(path, error));
        let sequences = vec![self.len(), self.length];
        let mut tensors = vec![("tokens", view(sequences.clone(), &values)?), ("labels", view(vec![self.len()], &labels)?)];
        if let Some(conditions) = &conditions {
            tensors.push(("conditions", view(sequences, conditions)?));
        }
        let text = safetensors::serialize(tensors, Some(metadata)).map_err(|error| RuntimeError::content(path, error))?;
        write_atomically(path, |path| fs::write(path, &text).map_err(RuntimeError::file("write", path)))
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn load(path: &Path) -> Result<Self, RuntimeError> {
        let bytes = fs::read(path).map_err(RuntimeError::file("read", path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| RuntimeError::content(path, error))?;
        let ints = |name: &str| -> Result<(Vec<usize>, Vec<i32>), RuntimeError> {
            let view = file.tensor(name).map_err(|error| RuntimeError::content(path, error))?;
            if view.dtype() != Dtype::I32 {
                return Err(RuntimeError::content(path, format!("`{name}` is {:?}, not int32", view.dtype())));
            }
            let values = view.data().as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect();
            Ok((view.shape().to_vec(), values))
        };
        let (shape, values) = ints("tokens")?;
        let (_, labels) = ints("labels")?;
        let conditions = if file.names().contains(&"conditions") { Some(ints("conditions")?) } else { None };
        if let Some((conditions, _)) = conditions.as_ref().filter(|(conditions, _)| *conditions != shape) {
            return Err(RuntimeError::content(
                path,
                format!("`conditions` of shape {conditions:?} beside `tokens` of {shape:?}"),
            ));
        }
        let conditions = conditions.map(|(_, values)| values);
        match shape[..] {
            [clips, length] if clips == labels.len() => Ok(Self { length, values, labels, conditions }),
            _ => Err(RuntimeError::content(path, format!("`tokens` of shape {shape:?} with {} labels", labels.len()))),
        }
    }
}

/// Some sequences on a device.
#[derive(Debug, Clone)]
pub struct TokenBatch {
    /// `[batch, tokens]`.
    pub tokens: Tensor<2, Int>,
    /// `[batch]`.
    pub labels: Tensor<1, Int>,
    /// Tokens of the given frames, `[batch, tokens]`, where there are any.
    pub conditions: Option<Tensor<2, Int>>,
}

/// Where the tokens of a run lie: each file's name is a hash of the tokenizer's weights and of what was tokenized.
#[derive(Debug, Clone)]
pub struct TokenCache {
    folder: PathBuf,
    /// Of the weights, which are read once.
    hash: Sha256,
}

impl TokenCache {
    /// The cache of a run for the tokenizer with these weights.
    ///
    /// # Errors
    /// When the weights cannot be read.
    pub fn new(run: &Path, weights: &Path) -> Result<Self, RuntimeError> {
        let mut file = fs::File::open(weights).map_err(RuntimeError::file("read", weights))?;
        let mut hash = Sha256::new();
        std::io::copy(&mut file, &mut HashWriter(&mut hash)).map_err(RuntimeError::file("read", weights))?;
        Ok(Self { folder: run.join("tokens"), hash })
    }

    /// The file for what is described so.
    pub fn path(&self, what: &str) -> PathBuf {
        let hash = self.hash.clone().chain_update(what).finalize();
        let name: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.safetensors"))
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens/a.safetensors");
        let plain = Tokens { length: 3, values: vec![1, 2, 3, 4, 5, 6], labels: vec![0, NO_CLASS], conditions: None };
        let conditioned = Tokens { conditions: Some(vec![7, 8, 9, 1, 2, 3]), ..plain.clone() };
        for tokens in [plain, conditioned] {
            tokens.save(&path, HashMap::new()).unwrap();
            assert_eq!(Tokens::load(&path).unwrap(), tokens);
        }
    }

    #[test]
    fn the_file_of_tokens_depends_on_the_weights_and_on_what_was_tokenized() {
        let folder = tempfile::tempdir().unwrap();
        let path = |weights: &str, what: &str| {
            let file = folder.path().join("weights");
            fs::write(&file, weights).unwrap();
            TokenCache::new(folder.path(), &file).unwrap().path(what)
        };
        assert_eq!(path("a", "train"), path("a", "train"));
        assert_ne!(path("a", "train"), path("a", "validation"));
        assert_ne!(path("a", "train"), path("b", "train"));
    }
}
