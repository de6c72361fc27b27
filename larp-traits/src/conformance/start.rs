//! How parameters start.

use burn::module::{Module as _, ModuleVisitor, Param};

use super::compare::{assert_close, parameters};
use super::{Subject, Trial};
use crate::params;
use crate::tensor::{Backend, Tensor};

/// Building takes no memory for parameters and draws no number: `inspect` builds the largest models.
///
/// # Panics
/// When a parameter was started by `build`.
pub fn building_starts_no_parameter<K: Subject>(trial: &Trial<K>) {
    let mut started = Started { path: Vec::new(), found: Vec::new() };
    trial.unstarted().visit(&mut started);
    let hint = "create them with `init::param` and its like";
    assert!(started.found.is_empty(), "`build` of {} starts the parameters {:?}; {hint}", trial.what(), started.found);
}

/// One seed gives the same parameters each time, and another seed gives others, unless all of them start from constants.
///
/// # Panics
/// When a parameter differs between two models of one seed, or none differs between two seeds.
pub fn the_seed_decides_the_parameters<K: Subject>(trial: &Trial<K>) {
    let (first, again, other) = (parameters(&trial.model(1)), parameters(&trial.model(1)), parameters(&trial.model(2)));
    for ((path, first), (_, again)) in first.iter().zip(&again) {
        assert_close(&format!("parameter `{path}` of {}, built twice from one seed", trial.what()), first, again, 0.0);
    }
    let constant = first.iter().all(|(_, values)| values.iter().all(|value| *value == values[0]));
    assert!(constant || first != other, "{} has the same parameters with another seed", trial.what());
}

/// The component has parameters; only a quantizer may do without, as finite scalar quantization does, and a perceptual
/// distance, whose weights are fixed.
///
/// # Panics
/// When there are none.
pub fn there_are_parameters<K: Subject>(trial: &Trial<K>) {
    let count = params::count(&trial.unstarted());
    let hint = "does a `#[component(skip)]` hide them?";
    assert!(count > 0 || K::MAY_LACK_PARAMETERS, "{} has no parameters; {hint}", trial.what());
}

struct Started {
    path: Vec<String>,
    found: Vec<String>,
}

impl ModuleVisitor<Backend> for Started {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_initialized() {
            self.found.push(self.path.join("."));
        }
    }
}
