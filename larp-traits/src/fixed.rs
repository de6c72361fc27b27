//! Tensors that are part of a component but not learned: position codes.

use std::sync::{Arc, OnceLock};

use burn::module::{AutodiffModule, Devices, Module, ModuleMapper, ModuleVisitor};
use burn::tensor::TensorData;

use crate::component::Detached;
use crate::tensor::{Backend, Device, Tensor};

/// A constant of shape `shape`, put on the device at its first use. It has no gradient and is not saved: its owner computes it.
#[derive(Debug, Clone)]
pub struct Fixed<const D: usize> {
    values: Arc<Vec<f32>>,
    shape: [usize; D],
    device: Device,
    tensor: OnceLock<Tensor<D>>,
}

impl<const D: usize> Fixed<D> {
    /// Row-major `values`.
    ///
    /// # Panics
    /// When there are not as many values as the shape says.
    pub fn new(values: Vec<f32>, shape: [usize; D], device: &Device) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "values of shape {shape:?}");
        Self { values: Arc::new(values), shape, device: device.clone(), tensor: OnceLock::new() }
    }

    /// The tensor.
    pub fn val(&self) -> Tensor<D> {
        let start = || Tensor::from_data(TensorData::new(self.values.to_vec(), self.shape), &self.device);
        self.tensor.get_or_init(start).clone()
    }
}

impl<const D: usize> Module<Backend> for Fixed<D> {
    type Record = burn::module::EmptyRecord;
    fn collect_devices(&self, devices: Devices<Backend>) -> Devices<Backend> {
        devices
    }
    fn to_device(self, device: &Device) -> Self {
        Self { device: device.clone(), tensor: OnceLock::new(), ..self }
    }
    fn fork(self, device: &Device) -> Self {
        self.to_device(device)
    }
    fn visit<V: ModuleVisitor<Backend>>(&self, _: &mut V) {}
    fn map<M: ModuleMapper<Backend>>(self, _: &mut M) -> Self {
        self
    }
    fn load_record(self, _: Self::Record) -> Self {
        self
    }
    fn into_record(self) -> Self::Record {
        burn::module::EmptyRecord::new()
    }
}

impl<const D: usize> AutodiffModule<Backend> for Fixed<D> {
    type InnerModule = Detached;
    fn valid(&self) -> Detached {
        Detached
    }
    fn from_inner(_: Detached) -> Self {
        unreachable!("inference is `no_grad()`")
    }
}
