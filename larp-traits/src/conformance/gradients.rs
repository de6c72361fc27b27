//! Gradients: where they go, and that there are none in inference.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::AutodiffBackend;

use super::{Outputs, Subject, Trial};
use crate::draw::{Draw, Stream};
use crate::tensor::{Backend, Tensor, untracked};

/// The gradients of a backward pass.
pub type Gradients = <Backend as AutodiffBackend>::Gradients;

/// A random projection of all outputs has a gradient in every parameter. Zero-initialised weights, as of output heads, are moved
/// a little before, since they would stop it; and a parameter that some draws leave out (a class dropped at random) has three.
///
/// # Panics
/// When a parameter's gradient is missing or zero throughout with every draw, or not finite with one.
pub fn gradients_reach_every_parameter<K: Subject>(trial: &Trial<K>) {
    let model = nudged(trial.model(1));
    let draws = [3, 4].map(|seed| Draw::Stream(Stream::new(seed))).into_iter().chain([Draw::Deterministic]);
    let mut unreached: Option<BTreeMap<String, &str>> = None;
    for draw in draws {
        let grads = projection(trial.outputs(&model, 2, draw)).map(|loss| loss.backward());
        let mut visitor = Unreached { what: trial.what(), grads, path: Vec::new(), found: BTreeMap::new() };
        model.visit(&mut visitor);
        let mut found = visitor.found;
        found.retain(|path, _| unreached.as_ref().is_none_or(|before| before.contains_key(path)));
        unreached = Some(found);
    }
    let found: Vec<_> = unreached.into_iter().flatten().map(|(path, why)| format!("`{path}` ({why})")).collect();
    assert!(found.is_empty(), "no gradient of {} reaches {}", trial.what(), found.join(", "));
}

/// Outputs of a `no_grad` model have no graph: evaluation would leak it.
///
/// # Panics
/// When an output is tracked.
pub fn a_model_without_gradients_keeps_no_graph<K: Subject>(trial: &Trial<K>) {
    let model = trial.model(1).no_grad();
    for (name, tensor) in trial.outputs(&model, 2, Draw::Deterministic).floats {
        assert!(!is_tracked(tensor), "`{name}` of {} has a graph although the model is `no_grad`", trial.what());
    }
}

/// Requires a gradient that is not zero throughout at an input that was marked with `require_grad`.
///
/// # Panics
/// When it is missing or zero.
pub fn assert_reached<const D: usize>(what: &str, input: &Tensor<D>, outputs: Outputs) {
    let loss =
        projection(outputs).unwrap_or_else(|| panic!("no gradient reaches {what}: no output depends on any parameter or input"));
    let grad = input.grad(&loss.backward()).unwrap_or_else(|| panic!("no gradient reaches {what}: the graph is cut"));
    let largest: f32 = grad.abs().max().into_scalar();
    assert!(largest > 0.0, "the gradient of {what} is zero throughout");
    assert!(largest.is_finite(), "the gradient of {what} is {largest}");
}

/// Whether a backward pass from here would reach something.
pub fn is_tracked<const D: usize>(tensor: Tensor<D>) -> bool {
    tensor.into_primitive().tensor().is_tracked()
}

/// The model with all its parameters moved by a tenth of a standard normal.
pub fn nudged<M: Module<Backend>>(model: M) -> M {
    model.map(&mut Nudge { stream: Stream::new(5), index: 0 })
}

/// A random projection of all outputs, `[1]`; `None` when none of them is tracked.
fn projection(outputs: Outputs) -> Option<Tensor<1>> {
    let terms = outputs.floats.into_iter().enumerate().filter(|(_, (_, tensor))| is_tracked(tensor.clone()));
    let terms = terms.map(|(index, (_, tensor))| {
        let weights = Stream::new(13).at(index as u64).normal(tensor.dims(), &tensor.device());
        (tensor * weights).sum()
    });
    terms.reduce(|sum, term| sum + term)
}

struct Nudge {
    stream: Stream,
    index: u64,
}

impl ModuleMapper<Backend> for Nudge {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.index += 1;
        let stream = self.stream.at(self.index);
        param.map(|value| {
            let learned = value.is_require_grad();
            let noise = stream.normal(value.dims(), &value.device()).mul_scalar(0.1);
            (untracked(value) + noise).set_require_grad(learned)
        })
    }
}

struct Unreached {
    what: String,
    grads: Option<Gradients>,
    path: Vec<String>,
    found: BTreeMap<String, &'static str>,
}

impl ModuleVisitor<Backend> for Unreached {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !value.is_require_grad() {
            return;
        }
        let path = self.path.join(".");
        match self.grads.as_ref().and_then(|grads| value.grad(grads)) {
            None => _ = self.found.insert(path, "the graph is cut"),
            Some(grad) => {
                let largest: f32 = grad.abs().max().into_scalar();
                assert!(largest.is_finite(), "the gradient of `{path}` of {} is {largest}", self.what);
                if largest == 0.0 {
                    self.found.insert(path, "zero throughout");
                }
            }
        }
    }
}
