//! Tensors that are saved with a component but not learned: the vectors of a power iteration, counters.

use burn::module::{AutodiffModule, Devices, Module, ModuleMapper, ModuleVisitor, Param};

use crate::component::Detached;
use crate::init::{Init, unlearned};
use crate::state::{load_bytes, save_bytes};
use crate::tensor::{Backend, Device, Tensor, untracked};

/// What a visitor is told when it enters a buffer; [`params::list`](crate::params::list) leaves it out.
pub(crate) const CONTAINER: &str = "Buffer";

/// A tensor that is started, moved and saved like a parameter, but has no gradient and is no parameter in counts. A
/// [`Fixed`](crate::Fixed) tensor is not even saved.
#[derive(Debug, Clone)]
pub struct Buffer<const D: usize> {
    value: Param<Tensor<D>>,
}

impl<const D: usize> Buffer<D> {
    /// Not yet started.
    pub fn new(shape: [usize; D], init: Init, device: &Device) -> Self {
        Self { value: unlearned(shape, init, device) }
    }

    /// The tensor, without a gradient.
    pub fn val(&self) -> Tensor<D> {
        untracked(self.value.val())
    }

    /// Takes another value of the same shape.
    pub fn set(&mut self, value: Tensor<D>) {
        self.value = Param::initialized(self.value.id, untracked(value));
    }
}

impl<const D: usize> Module<Backend> for Buffer<D> {
    type Record = Vec<u8>;
    fn collect_devices(&self, devices: Devices<Backend>) -> Devices<Backend> {
        self.value.collect_devices(devices)
    }
    fn to_device(self, device: &Device) -> Self {
        Self { value: self.value.to_device(device) }
    }
    fn fork(self, device: &Device) -> Self {
        Self { value: self.value.fork(device) }
    }
    fn visit<V: ModuleVisitor<Backend>>(&self, visitor: &mut V) {
        visitor.enter_module("value", CONTAINER);
        visitor.visit_float(&self.value);
        visitor.exit_module("value", CONTAINER);
    }
    fn map<M: ModuleMapper<Backend>>(self, mapper: &mut M) -> Self {
        mapper.enter_module("value", CONTAINER);
        let value = mapper.map_float(self.value);
        mapper.exit_module("value", CONTAINER);
        Self { value }
    }
    fn load_record(mut self, record: Vec<u8>) -> Self {
        load_bytes(&mut self, record);
        self
    }
    fn into_record(self) -> Vec<u8> {
        save_bytes(&self)
    }
}

impl<const D: usize> AutodiffModule<Backend> for Buffer<D> {
    type InnerModule = Detached;
    fn valid(&self) -> Detached {
        Detached
    }
    fn from_inner(_: Detached) -> Self {
        unreachable!("inference is `no_grad()`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::gradients::is_tracked;
    use crate::params::{count, materialize};
    use crate::tensor::{cpu, to_host};

    #[test]
    fn a_buffer_is_saved_but_is_no_parameter() {
        let mut buffer = materialize(Buffer::new([3], Init::Ones, &cpu()), 0);
        assert_eq!(count(&buffer), 0);
        buffer.set(Tensor::from_floats([1.0, 2.0, 3.0], &cpu()));
        let mut other = materialize(Buffer::new([3], Init::Zeros, &cpu()), 0);
        load_bytes(&mut other, save_bytes(&buffer));
        assert_eq!(to_host(other.val()), [1.0, 2.0, 3.0]);
        assert!(!is_tracked(other.val()));
    }
}
