//! Comparison of what we compute with what a case says.

use std::collections::{BTreeMap, BTreeSet};

use larp_plugins::released::{KeyMap, NamedTensor};
use larp_traits::burn::module::{Module, ModuleVisitor, Param};
use larp_traits::burn::tensor::backend::AutodiffBackend;
use larp_traits::tensor::{ints_to_host, to_host};
use larp_traits::{Backend, Int, Tensor};

use crate::case::{Case, Values};

/// Allowed difference of a value: absolute plus relative.
const VALUE: f32 = 1e-4;
/// Allowed norm of the difference of a gradient, relative to its norm.
const GRADIENT: f64 = 1e-3;
/// Differences below this are rounding noise: the gradient of a key's bias, zero in exact arithmetic, has norms up to 3e-9.
const GRADIENT_FLOOR: f64 = 1e-8;

/// Gathers the differences of one case.
pub struct Comparison<'a> {
    case: &'a Case,
    checked: BTreeSet<String>,
    failures: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Nothing compared yet.
    pub fn new(case: &'a Case) -> Self {
        Self { case, checked: BTreeSet::new(), failures: Vec::new() }
    }

    /// A failure in words.
    pub fn fail(&mut self, name: &str, message: impl std::fmt::Display) {
        self.failures.push(format!("{} {name}: {message}", self.case.name));
    }

    /// Compares floats; a tensor that the case lacks is left out.
    pub fn floats<const D: usize>(&mut self, name: &str, found: Tensor<D>) {
        let Some((shape, Values::Floats(expected))) = self.case.get(name) else { return };
        self.checked.insert(name.into());
        // a scalar has no axes there and one here
        let wanted = if shape.is_empty() { vec![1] } else { shape.clone() };
        if found.dims().as_slice() != wanted {
            return self.fail(name, format!("shape {:?}, expected {wanted:?}", found.dims()));
        }
        let found = to_host(found);
        let excess = |(a, b): (&f32, &f32)| (a - b).abs() - VALUE * b.abs();
        let by_excess = found.iter().zip(expected).map(excess).enumerate();
        // a NaN is the worst difference of all
        let worst = by_excess.max_by(|(_, a), (_, b)| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
        if let Some((index, excess)) = worst
            && (excess.is_nan() || excess > VALUE)
        {
            let (a, b) = (found[index], expected[index]);
            self.fail(name, format!("worst difference {:e} at {index}: {a}, expected {b}", (a - b).abs()));
        }
    }

    /// Compares tokens; a tensor that the case lacks is left out.
    pub fn ints<const D: usize>(&mut self, name: &str, found: Tensor<D, Int>) {
        let Some((shape, Values::Ints(expected))) = self.case.get(name) else { return };
        self.checked.insert(name.into());
        if found.dims().as_slice() != shape {
            return self.fail(name, format!("shape {:?}, expected {shape:?}", found.dims()));
        }
        let found = ints_to_host(found);
        let different: Vec<_> = (0..found.len()).filter(|&i| found[i] != expected[i]).collect();
        if let Some(&first) = different.first() {
            let count = different.len();
            self.fail(
                name,
                format!("{count} tokens differ, the first at {first}: {}, expected {}", found[first], expected[first]),
            );
        }
    }

    /// Compares the whole checkpoint with itself, to ours and back.
    pub fn round_trip(&mut self, keys: &KeyMap) {
        let released = self.case.floats("state.");
        let back = keys
            .import(released.clone())
            .and_then(|ours| ours.into_iter().map(|t| keys.to_released(t)).collect::<Result<_, _>>());
        let mut back: Vec<NamedTensor> = match back {
            Ok(back) => back,
            Err(error) => return self.fail("state", error),
        };
        let parameters = back.len();
        back.extend(keys.fixed());
        for tensor in &released {
            // fixed codes come back as ours, which `import` has compared with theirs
            match back.iter().position(|found| found.name == tensor.name) {
                Some(index) if index >= parameters || back[index] == *tensor => {}
                Some(_) => self.fail(&tensor.name, "changed on its way to ours and back"),
                None => self.fail(&tensor.name, "lost on its way to ours and back"),
            }
        }
    }

    /// Compares the gradient of every parameter of `module`, under its released name.
    pub fn gradients<M: Module<Backend>>(&mut self, module: &M, loss: Tensor<1>, keys: &KeyMap) {
        let mut visitor = Collect { path: Vec::new(), gradients: loss.backward(), found: Vec::new(), without: Vec::new() };
        module.visit(&mut visitor);
        for path in visitor.without {
            self.fail(&path, "no gradient");
        }
        let mut expected: BTreeMap<_, _> = self.case.floats("grad.").into_iter().map(|t| (t.name.clone(), t)).collect();
        for gradient in visitor.found {
            let path = gradient.name.clone();
            match keys.to_released(gradient) {
                Err(error) => self.fail(&path, error),
                Ok(found) => match expected.remove(&found.name) {
                    None => self.fail(&path, format!("the case has no `grad.{}`", found.name)),
                    Some(expected) => self.gradient(&found, &expected),
                },
            }
        }
        for name in expected.into_keys() {
            self.fail(&format!("grad.{name}"), "no parameter of ours");
        }
    }

    fn gradient(&mut self, found: &NamedTensor, expected: &NamedTensor) {
        let name = format!("grad.{}", expected.name);
        if found.shape != expected.shape {
            return self.fail(&name, format!("shape {:?}, expected {:?}", found.shape, expected.shape));
        }
        let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let size = norm(&mut expected.values.iter().copied());
        let difference = norm(&mut found.values.iter().zip(&expected.values).map(|(a, b)| a - b));
        if difference.is_nan() || difference > GRADIENT * size + GRADIENT_FLOOR {
            let relative = difference / size;
            self.fail(&name, format!("norm of the difference {difference:e}, {relative:e} of the gradient's {size:e}"));
        }
    }

    /// The failures, with the outputs that nothing was compared with.
    pub fn finish(mut self) -> Vec<String> {
        let case = self.case;
        for name in case.names("out.").filter(|name| !self.checked.contains(*name)).collect::<Vec<_>>() {
            self.fail(name, "nothing computes it");
        }
        println!("{}: {} outputs compared", self.case.name, self.checked.len());
        self.failures
    }
}

/// The sum that a case's `loss` says: `l1 + 0.1*loss_quantizer + 0.06*prior_nll (a remark)`.
pub fn weighted(formula: &str, terms: &[(&str, Option<Tensor<1>>)]) -> Result<Tensor<1>, String> {
    let formula = formula.split(" (").next().unwrap_or_default();
    let mut sum: Option<Tensor<1>> = None;
    for part in formula.split(" + ") {
        let (weight, name) = part.split_once('*').unwrap_or(("1", part));
        let weight: f64 = weight.trim().parse().map_err(|error| format!("`{part}`: {error}"))?;
        let term = terms.iter().find(|(known, _)| *known == name.trim()).and_then(|(_, term)| term.clone());
        let term = term.ok_or(format!("`{part}` is no known term"))?.mul_scalar(weight);
        sum = Some(match sum {
            Some(sum) => sum + term,
            None => term,
        });
    }
    sum.ok_or_else(|| "no terms".into())
}

struct Collect {
    path: Vec<String>,
    gradients: <Backend as AutodiffBackend>::Gradients,
    found: Vec<NamedTensor>,
    without: Vec<String>,
}

impl ModuleVisitor<Backend> for Collect {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let Some(gradient) = param.val().grad(&self.gradients) else {
            return self.without.push(name);
        };
        let shape = gradient.dims().to_vec();
        let values = gradient.into_data().convert::<f32>().into_vec().expect("converted to f32 just before");
        self.found.push(NamedTensor { name, shape, values });
    }
}
