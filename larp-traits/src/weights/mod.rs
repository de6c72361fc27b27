//! Weight files that other programs wrote: safetensors and PyTorch's `.pth`.
//!
//! ```text
//! model.safetensors  header ─────────────────────────────┐
//! .pth, zip          data.pkl ─ pickle (a strict subset) ┼─> Weights { names, shapes, plain values } ─ f32() ─> one tensor's values
//! .pth, before 1.6   pickles, then storages ─────────────┘
//! ```
//!
//! Nothing of the file is run: a pickle is read as data, and an object that is neither a tensor nor a plain value is refused by its name.
//! Opening reads names and shapes; a tensor's values are read when they are asked for, so that memory holds one tensor at a time.

mod error;
mod pth;
mod safetensors;
mod source;
mod tensor;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use ::safetensors::Dtype;
pub use error::WeightsError;
pub use tensor::WeightTensor;

use source::Source;

/// What a weight file holds.
#[derive(Debug, Clone)]
pub struct Weights {
    /// The tensors by name. In a `.pth` the name is the way to the tensor, joined with dots: `model.sd.x_embedder.proj.weight`.
    pub tensors: BTreeMap<String, WeightTensor>,
    /// Everything else, as a tree: numbers, texts, lists. A dictionary that holds tensors alone is an empty object. For safetensors: the
    /// metadata of the header.
    pub values: Value,
}

impl Weights {
    /// The tensors whose names start with `prefix`, without it.
    pub fn below(&self, prefix: &str) -> BTreeMap<String, WeightTensor> {
        let inside = |(name, tensor): (&String, &WeightTensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()));
        self.tensors.iter().filter_map(inside).collect()
    }
}

/// Opens a weight file; its first bytes tell what it is.
///
/// # Errors
/// When it cannot be read, is none of the three formats, is damaged, or holds an object that is neither a tensor nor a plain value.
pub fn read(path: &Path) -> Result<Weights, WeightsError> {
    let source = Source::open(path)?;
    let start = source.bytes(0, source.len.min(9))?;
    match start.as_slice() {
        // first: the length before a header may begin with any bytes
        [_, _, _, _, _, _, _, _, b'{'] => safetensors::read(&source),
        [b'P', b'K', 3, 4, ..] => pth::read_zip(&source),
        [0x80, 2..=5, ..] => pth::read_legacy(&source),
        _ => Err(WeightsError::Unknown { path: path.into() }),
    }
}

#[cfg(test)]
mod tests;
