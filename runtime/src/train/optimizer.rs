//! AdamW with a learning rate of its own for a group of parameters.

use std::collections::BTreeMap;

use burn::module::{AutodiffModule, ParamId};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, AdamWConfig, GradientsParams, Optimizer as _};
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Recorder};
use larp_traits::{Backend, Device, params};

use crate::pipeline::OptimizerSettings;

/// The optimiser of one stage.
pub(super) struct Optimizer<M: AutodiffModule<Backend>> {
    inner: OptimizerAdaptor<AdamW, M, Backend>,
    /// Parameters by the factor on their learning rate, as bits.
    groups: BTreeMap<u64, Vec<ParamId>>,
}

impl<M: AutodiffModule<Backend>> Optimizer<M> {
    /// An optimiser for `module`; `multiplier` gives the factor on the learning rate of a parameter by its path.
    pub fn new(settings: &OptimizerSettings, module: &M, multiplier: impl Fn(&str) -> f64) -> Self {
        let inner = AdamWConfig::new()
            .with_beta_1(settings.betas[0] as f32)
            .with_beta_2(settings.betas[1] as f32)
            .with_epsilon(settings.eps as f32)
            .with_weight_decay(settings.weight_decay as f32)
            .init();
        let mut groups = BTreeMap::<u64, Vec<ParamId>>::new();
        for param in params::list(module) {
            groups.entry(multiplier(&param.path).to_bits()).or_default().push(param.id);
        }
        Self { inner, groups }
    }

    /// One step.
    pub fn step(&mut self, mut module: M, mut gradients: GradientsParams, learning_rate: f64) -> M {
        let last = self.groups.len().saturating_sub(1);
        for (index, (multiplier, ids)) in self.groups.iter().enumerate() {
            let part = if index == last { std::mem::take(&mut gradients) } else { take(&module, &mut gradients, ids) };
            module = self.inner.step(learning_rate * f64::from_bits(*multiplier), module, part);
        }
        module
    }

    /// Its state, for a checkpoint.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
        Recorder::<Backend>::record(&recorder, self.inner.to_record(), ()).map_err(|error| error.to_string())
    }

    /// Takes the state of a checkpoint.
    pub fn load_bytes(self, bytes: Vec<u8>, device: &Device) -> Result<Self, String> {
        let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
        let record = recorder.load(bytes, device).map_err(|error| error.to_string())?;
        Ok(Self { inner: self.inner.load_record(record), groups: self.groups })
    }
}

/// Takes the gradients of some parameters out.
fn take<M: AutodiffModule<Backend>>(module: &M, gradients: &mut GradientsParams, ids: &[ParamId]) -> GradientsParams {
    use burn::module::{ModuleVisitor, Param};
    use larp_traits::{Dispatch, Tensor};
    struct Take<'a>(&'a mut GradientsParams, GradientsParams, &'a [ParamId]);
    impl ModuleVisitor<Backend> for Take<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.2.contains(&param.id)
                && let Some(gradient) = self.0.remove::<Dispatch, D>(param.id)
            {
                self.1.register::<Dispatch, D>(param.id, gradient);
            }
        }
    }
    let mut visitor = Take(gradients, GradientsParams::new(), ids);
    module.visit(&mut visitor);
    visitor.1
}
