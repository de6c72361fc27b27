//! Exponential moving average of the parameters.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use larp_traits::{Backend, Dispatch, Tensor};

/// A copy of a module that follows it: `average = decay * average + (1 - decay) * parameters`.
#[derive(Debug)]
pub(super) struct Ema<M> {
    /// The average, without gradients.
    pub average: M,
    decay: f64,
}

impl<M: Module<Backend>> Ema<M> {
    /// Starts at the module's parameters; `None` for a decay of 0.
    pub fn new(module: &M, decay: f64) -> Option<Self> {
        (decay > 0.0).then(|| Self { average: module.clone().no_grad(), decay })
    }

    /// Moves towards the module's parameters.
    pub fn update(self, module: &M) -> Self {
        let mut values = Values(GradientsParams::new());
        module.visit(&mut values);
        let Self { average, decay } = self;
        Self { average: average.map(&mut Move(values.0, decay)), decay }
    }
}

/// Parameters by id; `GradientsParams` is Burn's map from ids to tensors of any rank.
struct Values(GradientsParams);

impl ModuleVisitor<Backend> for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register::<Dispatch, D>(param.id, param.val().inner());
    }
}

struct Move(GradientsParams, f64);

impl ModuleMapper<Backend> for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.0.get::<Dispatch, D>(param.id) else { return param };
        let decay = self.1;
        param.map(|average| Tensor::from_inner(average.inner().mul_scalar(decay) + value.mul_scalar(1.0 - decay)))
    }
}
