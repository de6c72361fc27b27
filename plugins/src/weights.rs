//! Tensors of a file of published weights.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use larp_traits::SettingsError;
use larp_traits::weights::{self, Weights, WeightsError};

/// The tensors of a file that a setting names.
pub struct Tensors {
    key: &'static str,
    path: PathBuf,
    weights: Weights,
}

impl Tensors {
    /// Opens a file; `key` names the setting in errors.
    ///
    /// # Errors
    /// When it is no file of weights.
    pub fn open(key: &'static str, path: &Path) -> Result<Self, SettingsError> {
        let weights = weights::read(path).map_err(|error| refused(key, &error))?;
        Ok(Self { key, path: path.to_owned(), weights })
    }

    /// Names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.tensors.keys().map(String::as_str)
    }

    /// The values of a tensor, row-major.
    ///
    /// # Errors
    /// When it is not there, has another shape, or cannot be read.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, SettingsError> {
        let error = |message: String| SettingsError::file(self.key, format!("`{}` {message}", self.path.display()));
        let tensor = self.weights.tensors.get(name).ok_or_else(|| error(format!("has no tensor `{name}`")))?;
        if tensor.shape != shape {
            return Err(error(format!("has a tensor `{name}` of shape {:?}, expected {shape:?}", tensor.shape)));
        }
        tensor.f32().map_err(|error| refused(self.key, &error))
    }
}

/// The reader's words; they name the file.
fn refused(key: &str, error: &WeightsError) -> SettingsError {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    SettingsError::file(key, format!("{error}{cause}"))
}
