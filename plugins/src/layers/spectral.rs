//! Spectral normalisation (Miyato et al., 2018): every linear layer's weight over its largest singular value.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use larp_traits::precision::matmul;
use larp_traits::tensor::untracked;
use larp_traits::{Backend, Buffer, Component, Device, Init, Tensor, params};

const EPS: f64 = 1e-12;

/// The vectors that the power iterations of a module's weights go on from: a buffer each, saved with the module.
///
/// The weights themselves stay as they are learned; [`normalized`](Self::normalized) gives a copy to compute with, whose gradients go
/// to the originals, also through the singular value.
#[derive(Component, Debug)]
pub struct SpectralNorm {
    /// Estimated left singular vectors `[inputs]`, in the order of the weights.
    pub vectors: Vec<Buffer<1>>,
    iterations: usize,
}

impl SpectralNorm {
    /// For the linear layers of `module`: its parameters of two axes named `weight`.
    pub fn new<M: Module<Backend>>(module: &M, iterations: usize, device: &Device) -> Self {
        let weights = params::list(module).into_iter().filter(|param| is_weight(&param.path) && param.shape.len() == 2);
        let vectors = weights.map(|weight| Buffer::new([weight.shape[0]], Init::Normal { std: 1.0 }, device)).collect();
        Self { vectors, iterations }
    }

    /// The module with normalised weights.
    pub fn normalized<M: Module<Backend>>(&self, module: M) -> M {
        module.map(&mut Normalize { path: Vec::new(), vectors: self.vectors.iter() })
    }

    /// Runs the power iterations on.
    pub fn refresh<M: Module<Backend>>(&mut self, module: &M) {
        module.visit(&mut Iterate { path: Vec::new(), count: self.iterations, vectors: self.vectors.iter_mut() });
    }
}

fn is_weight(path: &str) -> bool {
    path.rsplit('.').next() == Some("weight")
}

fn unit(vector: Tensor<2>) -> Tensor<2> {
    let norm = vector.clone().square().sum().sqrt().clamp_min(EPS);
    vector / norm.unsqueeze()
}

/// One iteration from the left vector: the right one, then the left one again.
///
/// # Shapes
/// - weight: `[inputs, outputs]`
/// - left: `[1, inputs]`, any length
/// - output: `[1, inputs]` and `[1, outputs]`, of length 1
fn iterate(weight: &Tensor<2>, left: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let right = unit(matmul(left, weight.clone()));
    (unit(matmul(right.clone(), weight.clone().transpose())), right)
}

/// Estimate of the largest singular value, `[1, 1]`, with its gradient in the weight. The saved vector takes one more step here, so that
/// a model that was never refreshed has a usable value too.
fn largest_singular_value(weight: &Tensor<2>, vector: &Buffer<1>) -> Tensor<2> {
    let (left, right) = iterate(&untracked(weight.clone()), vector.val().unsqueeze());
    (matmul(left, weight.clone()) * right).sum_dim(1).clamp_min(EPS)
}

struct Normalize<'a> {
    path: Vec<String>,
    vectors: std::slice::Iter<'a, Buffer<1>>,
}

impl ModuleMapper<Backend> for Normalize<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 2 || self.path.last().is_none_or(|name| !is_weight(name)) {
            return param;
        }
        let vector = self.vectors.next().expect("as many vectors as weights");
        param.map(|weight| {
            let shape = weight.dims();
            let weight: Tensor<2> = weight.reshape([shape[0], shape[1]]);
            let value = largest_singular_value(&weight, vector);
            (weight / value).reshape(shape)
        })
    }
}

struct Iterate<'a> {
    path: Vec<String>,
    count: usize,
    vectors: std::slice::IterMut<'a, Buffer<1>>,
}

impl ModuleVisitor<Backend> for Iterate<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D != 2 || self.path.last().is_none_or(|name| !is_weight(name)) {
            return;
        }
        let vector = self.vectors.next().expect("as many vectors as weights");
        let weight = untracked(param.val());
        let shape = weight.dims();
        let weight: Tensor<2> = weight.reshape([shape[0], shape[1]]);
        let start = vector.val().unsqueeze();
        let left = (0..self.count).fold(start, |left, _| iterate(&weight, left).0);
        vector.set(left.squeeze_dim(0));
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::init;
    use larp_traits::tensor::{cpu, to_host};

    use super::*;

    /// A linear layer `[2, 2]` with singular values 3 and 1.
    fn layer() -> larp_traits::burn::nn::Linear<Backend> {
        let mut linear = init::linear(2, 2, false, Init::Zeros, &cpu());
        linear.weight = Param::from_tensor(Tensor::from_floats([[2.0, 1.0], [1.0, 2.0]], &cpu()));
        linear
    }

    fn converged() -> SpectralNorm {
        let mut norm = params::materialize(SpectralNorm::new(&layer(), 20, &cpu()), 3);
        norm.refresh(&layer());
        norm
    }

    #[test]
    fn the_largest_singular_value_becomes_one() {
        let weight = to_host(converged().normalized(layer()).weight.val());
        let expected = [2.0, 1.0, 1.0, 2.0].map(|value| value / 3.0);
        assert!(weight.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{weight:?}");
    }

    #[test]
    fn the_gradient_reaches_the_learned_weight_through_the_singular_value_too() {
        let layer = layer();
        let grads = converged().normalized(layer.clone()).weight.val().slice([0..1, 0..1]).sum().backward();
        let gradient = layer.weight.val().grad(&grads).expect("tracked").into_data().to_vec::<f32>().expect("f32");
        // d/dW (W_00 / s) with ds/dW = u v^T = 1/2 everywhere: (1, 0; 0, 0) / 3 - 2 / 9 * 1/2
        let expected = [1.0 / 3.0 - 1.0 / 9.0, -1.0 / 9.0, -1.0 / 9.0, -1.0 / 9.0];
        assert!(gradient.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{gradient:?}");
    }

    #[test]
    fn scoring_leaves_the_vectors_alone() {
        let norm = params::materialize(SpectralNorm::new(&layer(), 1, &cpu()), 3);
        let before = to_host(norm.vectors[0].val());
        norm.normalized(layer());
        assert_eq!(to_host(norm.vectors[0].val()), before);
    }
}
