//! Tensors of a file of published weights.

use std::path::{Path, PathBuf};

use larp_traits::SettingsError;
use safetensors::{Dtype, SafeTensors};

/// The tensors of a file that a setting names.
pub struct Tensors {
    key: &'static str,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Tensors {
    /// Reads a file; `key` names the setting in errors.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(key: &'static str, path: &Path) -> Result<Self, SettingsError> {
        let bytes = std::fs::read(path).map_err(|error| SettingsError::file(key, path, error))?;
        Ok(Self { key, path: path.to_owned(), bytes })
    }

    /// The values of a tensor, row-major.
    ///
    /// # Errors
    /// When it is not there or has another shape.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, SettingsError> {
        let error = |message: String| SettingsError::file(self.key, &self.path, message);
        let file = SafeTensors::deserialize(&self.bytes).map_err(|e| error(e.to_string()))?;
        let tensor = file.tensor(name).map_err(|_| error(format!("it has no tensor `{name}`")))?;
        if tensor.shape() != shape || tensor.dtype() != Dtype::F32 {
            return Err(error(format!("its tensor `{name}` has shape {:?}, expected {shape:?}", tensor.shape())));
        }
        Ok(tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}
