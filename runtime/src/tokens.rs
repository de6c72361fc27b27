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
}

impl Tokens {
    /// No sequence yet.
    pub fn new(length: usize) -> Self {
        Self { length, values: Vec::new(), labels: Vec::new() }
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Tokenizes clips and adds them. The tokenizer must be without gradients.
    pub fn add(&mut self, tokenizer: &Tokenizer, samples: &[Sample], device: &Device) {
        let video = to_tensor(samples.iter().map(|sample| &sample.clip), device);
        let tokens = tokenizer.quantize(video, Draw::Deterministic).tokens;
        self.values.extend(ints_to_host(tokens).into_iter().map(|token| token as i32));
        self.labels.extend(samples.iter().map(|sample| sample.label.map_or(NO_CLASS, |label| label as i32)));
    }

    /// Sequences and labels of some clips.
    ///
    /// # Shapes
    /// - tokens: `[batch, tokens]`
    /// - labels: `[batch]`; `no_class` for clips without one
    pub fn batch(&self, clips: &[usize], no_class: usize, device: &Device) -> TokenBatch {
        let values: Vec<i32> =
            clips.iter().flat_map(|&clip| &self.values[clip * self.length..][..self.length]).copied().collect();
        let label = |&clip: &usize| if self.labels[clip] == NO_CLASS { no_class as i32 } else { self.labels[clip] };
        let labels: Vec<i32> = clips.iter().map(label).collect();
        TokenBatch {
            tokens: Tensor::from_data(TensorData::new(values, [clips.len(), self.length]), device),
            labels: Tensor::from_data(TensorData::new(labels, [clips.len()]), device),
        }
    }

    /// Writes `tokens [clips, length]` and `labels [clips]`, both int32, with what is known of them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, metadata: HashMap<String, String>) -> Result<(), RuntimeError> {
        let bytes = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        let (values, labels) = (bytes(&self.values), bytes(&self.labels));
        let view = |shape, data| TensorView::new(Dtype::I32, shape, data).map_err(|error| RuntimeError::content(path, error));
        let tensors = [("tokens", view(vec![self.len(), self.length], &values)?), ("labels", view(vec![self.len()], &labels)?)];
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
        match shape[..] {
            [clips, length] if clips == labels.len() => Ok(Self { length, values, labels }),
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
}

/// Where the tokens of a run lie: the name is a hash of the tokenizer's weights and of what was tokenized.
///
/// # Errors
/// When the weights cannot be read.
pub fn cache_path(run: &Path, weights: &Path, what: &str) -> Result<PathBuf, RuntimeError> {
    let mut file = fs::File::open(weights).map_err(RuntimeError::file("read", weights))?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut HashWriter(&mut hash)).map_err(RuntimeError::file("read", weights))?;
    hash.update(what.as_bytes());
    let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(run.join("tokens").join(format!("{name}.safetensors")))
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
        let tokens = Tokens { length: 3, values: vec![1, 2, 3, 4, 5, 6], labels: vec![0, NO_CLASS] };
        tokens.save(&path, HashMap::new()).unwrap();
        assert_eq!(Tokens::load(&path).unwrap(), tokens);
    }
}
