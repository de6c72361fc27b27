//! Tensors into a module.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::TensorData;
use larp_traits::{Backend, Tensor};

use super::{NamedTensor, ReleasedError};

/// Gives each parameter the tensor of its path, without drawing its initial values first.
///
/// # Errors
/// When a parameter has no tensor, a tensor no parameter, or the shapes differ: all of these at once.
pub fn fill<M: Module<Backend>>(module: M, tensors: Vec<NamedTensor>) -> Result<M, ReleasedError> {
    let tensors = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
    let mut fill = Fill { path: Vec::new(), tensors, missing: Vec::new(), problems: Vec::new() };
    let module = module.map(&mut fill);
    let Fill { tensors, missing, mut problems, .. } = fill;
    problems.extend(tensors.into_keys().map(|name| ReleasedError::Unknown { name }));
    if !missing.is_empty() {
        problems.push(ReleasedError::Missing { paths: missing });
    }
    ReleasedError::unless_empty(problems).map(|()| module)
}

struct Fill {
    path: Vec<String>,
    tensors: BTreeMap<String, NamedTensor>,
    missing: Vec<String>,
    problems: Vec<ReleasedError>,
}

impl ModuleMapper<Backend> for Fill {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let Some(NamedTensor { name, shape, values }) = self.tensors.remove(&path) else {
            self.missing.push(path);
            return param;
        };
        let expected = param.lazy_shape().to_vec();
        if shape != expected {
            self.problems.push(ReleasedError::Shape { name, found: shape, expected: format!("{expected:?}") });
            return param;
        }
        let tensor = Tensor::from_data(TensorData::new(values, shape), &param.lazy_device());
        Param::initialized(param.id, tensor.require_grad())
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, to_host};
    use larp_traits::{Init, init};

    use super::*;

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        NamedTensor { name: name.into(), shape: shape.to_vec(), values: vec![2.0; shape.iter().product()] }
    }

    #[test]
    fn a_filled_parameter_has_the_values_and_its_gradient() {
        let linear = init::linear(2, 3, true, Init::Zeros, &cpu());
        let linear = fill(linear, vec![tensor("weight", &[2, 3]), tensor("bias", &[3])]).unwrap();
        assert_eq!(to_host(linear.weight.val()), [2.0; 6]);
        assert!(linear.weight.val().is_require_grad());
    }

    #[test]
    fn all_that_does_not_fit_is_reported() {
        let linear = init::linear(2, 3, true, Init::Zeros, &cpu());
        let error = fill(linear, vec![tensor("weight", &[3, 2]), tensor("wait", &[1])]).unwrap_err();
        assert_eq!(error.to_string(), "`weight` has shape [3, 2]; expected [2, 3]; unexpected tensor `wait`; missing: bias");
    }
}
