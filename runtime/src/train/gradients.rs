//! The norm of all gradients together, and clipping by it.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use larp_traits::{Backend, Dispatch, Tensor};

/// Norm of all gradients together.
pub(super) fn global_norm<M: Module<Backend>>(module: &M, gradients: &GradientsParams) -> f64 {
    struct Squares<'a>(&'a GradientsParams, Vec<burn::tensor::Tensor<Dispatch, 1>>);
    impl ModuleVisitor<Backend> for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.extend(self.0.get::<Dispatch, D>(param.id).map(|gradient| gradient.square().sum()));
        }
    }
    let mut squares = Squares(gradients, Vec::new());
    module.visit(&mut squares);
    if squares.1.is_empty() {
        return 0.0;
    }
    f64::from(burn::tensor::Tensor::cat(squares.1, 0).sum().into_scalar()).sqrt()
}

/// Scales all gradients so that their norm is at most `max`.
pub(super) fn clip<M: Module<Backend>>(module: &M, gradients: &mut GradientsParams, norm: f64, max: f64) {
    struct Scale<'a>(&'a mut GradientsParams, f64);
    impl ModuleVisitor<Backend> for Scale<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.remove::<Dispatch, D>(param.id) {
                self.0.register::<Dispatch, D>(param.id, gradient.mul_scalar(self.1));
            }
        }
    }
    if norm > max {
        module.visit(&mut Scale(gradients, max / norm));
    }
}
