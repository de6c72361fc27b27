//! Tensors that were read to those of a module, and to a file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use larp_traits::foreign::{NamedTensor, Names};
use larp_traits::params::ParamInfo;
use larp_traits::weights::WeightTensor;
use safetensors::{Dtype, View, serialize_to_file};

use super::ImportError;
use crate::RuntimeError;

/// The parameters of a module, in its order, out of the tensors of another program.
///
/// # Errors
/// Every tensor that is missing, unexpected or of another shape, under the names of the other program.
pub(super) fn arrange(
    source: &str,
    tensors: &BTreeMap<String, WeightTensor>,
    names: &dyn Names,
    expected: &[ParamInfo],
) -> Result<Vec<NamedTensor>, ImportError> {
    let (mut ours, mut problems) = (BTreeMap::new(), Vec::new());
    for (name, tensor) in tensors {
        let values = tensor.f32()?;
        match names.to_ours(NamedTensor { name: name.clone(), shape: tensor.shape.clone(), values }) {
            Ok(Some(tensor)) => drop(ours.insert(tensor.name.clone(), (name, tensor))),
            Ok(None) => {}
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let mut arranged = Vec::with_capacity(expected.len());
    for param in expected {
        match ours.remove(&param.path) {
            Some((_, tensor)) if tensor.shape == param.shape => arranged.push(tensor),
            Some((name, tensor)) => {
                problems.push(format!("`{name}` has shape {:?} here; expected {:?}", tensor.shape, param.shape));
            }
            None => problems.push(format!("`{}` is missing", theirs(param, names))),
        }
    }
    problems.extend(ours.values().map(|(name, _)| format!("unexpected tensor `{name}`")));
    if problems.is_empty() { Ok(arranged) } else { Err(ImportError::Tensors { source_name: source.into(), problems }) }
}

/// The name that a parameter has there.
fn theirs(param: &ParamInfo, names: &dyn Names) -> String {
    let nothing = NamedTensor { name: param.path.clone(), shape: param.shape.clone(), values: vec![0.0; param.count()] };
    names.to_theirs(nothing).map_or_else(|_| param.path.clone(), |tensor| tensor.name)
}

/// Writes float32 tensors with one entry of metadata.
pub(super) fn write(path: &Path, tensors: &[NamedTensor], metadata: (&str, &str)) -> Result<(), RuntimeError> {
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), Floats(tensor)));
    let metadata = HashMap::from([(metadata.0.to_owned(), metadata.1.to_owned())]);
    serialize_to_file(views, Some(metadata), path).map_err(|error| RuntimeError::content(path, error))
}

struct Floats<'a>(&'a NamedTensor);

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.0.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }
    fn data_len(&self) -> usize {
        self.0.values.len() * size_of::<f32>()
    }
}
