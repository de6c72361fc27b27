//! Comparison of outputs and parameters, with messages that say where they differ.

use burn::module::{Module, ModuleVisitor, Param};

use super::Outputs;
use crate::tensor::{Backend, Tensor, to_host};

/// Requires equal outputs: tokens the same, floats within `tolerance` (relative above 1).
///
/// # Panics
/// At the first difference.
pub fn assert_same(what: &str, expected: Outputs, found: Outputs, tolerance: f32) {
    assert_eq!(expected.ints, found.ints, "tokens of {what}: expected left, found right");
    assert_eq!(expected.floats.len(), found.floats.len(), "number of outputs of {what}");
    for ((name, expected), (_, found)) in expected.floats.into_iter().zip(found.floats) {
        assert_close(&format!("`{name}` of {what}"), &to_host(expected), &to_host(found), tolerance);
    }
}

/// Requires values within `tolerance` (relative above 1).
///
/// # Panics
/// At the first difference.
pub fn assert_close(what: &str, expected: &[f32], found: &[f32], tolerance: f32) {
    assert_eq!(expected.len(), found.len(), "number of values of {what}");
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        let close = (expected - found).abs() <= tolerance * expected.abs().max(1.0);
        assert!(close, "value {index} of {what}: expected {expected}, found {found}");
    }
}

/// Requires finite values.
///
/// # Panics
/// At the first that is not.
pub fn assert_finite(what: &str, values: &[f32]) {
    for (index, value) in values.iter().enumerate() {
        assert!(value.is_finite(), "value {index} of {what} is {value}; expected a finite number");
    }
}

/// The float parameters: dotted path and values.
pub fn parameters<M: Module<Backend>>(model: &M) -> Vec<(String, Vec<f32>)> {
    let mut values = Values { path: Vec::new(), found: Vec::new() };
    model.visit(&mut values);
    values.found
}

struct Values {
    path: Vec<String>,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor<Backend> for Values {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.join("."), to_host(param.val())));
    }
}
