//! Parameters to safetensors and back.

use std::path::Path;

use burn::module::Module;
use burn_store::{ModuleSnapshot, SafetensorsStore};

use crate::error::StateError;
use crate::tensor::Backend;

/// Writes the parameters to a safetensors file, each under its dotted path.
///
/// # Errors
/// When the file cannot be written.
pub fn save_file<M: Module<Backend>>(module: &M, path: &Path) -> Result<(), StateError> {
    // one entry of metadata, since several stand in a random order: equal parameters make equal files
    let mut store = SafetensorsStore::from_file(path).overwrite(true).clear_metadata().metadata("producer", "larp-rs");
    module.save_into(&mut store).map_err(|error| StateError::new(path, error.to_string()))
}

/// Reads the parameters from a safetensors file. Strict: each parameter of the module has its tensor there, of its shape, and the
/// file has no other.
///
/// # Errors
/// When the file cannot be read, or lists of what is missing, unexpected or of another shape.
pub fn load_file<M: Module<Backend>>(module: &mut M, path: &Path) -> Result<(), StateError> {
    let mut store = SafetensorsStore::from_file(path).allow_partial(true).validate(false);
    let result = module.load_from(&mut store).map_err(|error| StateError::new(path, error.to_string()))?;
    let mut problems = Vec::new();
    if !result.missing.is_empty() {
        let names: Vec<_> = result.missing.iter().map(|(name, _)| name.as_str()).collect();
        problems.push(format!("missing: {}", names.join(", ")));
    }
    if !result.unused.is_empty() {
        problems.push(format!("unexpected: {}", result.unused.join(", ")));
    }
    problems.extend(result.errors.iter().map(ToString::to_string));
    if problems.is_empty() { Ok(()) } else { Err(StateError::new(path, problems.join("; "))) }
}

/// The parameters as the bytes of a safetensors file.
pub fn save_bytes<M: Module<Backend>>(module: &M) -> Vec<u8> {
    let mut store = SafetensorsStore::from_bytes(None);
    module.save_into(&mut store).expect("a store in memory takes every module");
    store.get_bytes().expect("just written")
}

/// Reads the parameters from the bytes of a safetensors file.
///
/// # Panics
/// When they are not those of such a module.
pub fn load_bytes<M: Module<Backend>>(module: &mut M, bytes: Vec<u8>) {
    let mut store = SafetensorsStore::from_bytes(Some(bytes));
    module.load_from(&mut store).expect("the bytes of this module");
}
