//! The one backend, its tensors and devices.
//!
//! Everything else in the workspace uses these names only, so a change of backend type is a change of this file.

use burn_autodiff::Autodiff;
pub use burn_dispatch::Dispatch;

pub use burn::tensor::{Bool, Float, Int, TensorData};

/// The backend of every tensor: Flex, libtorch or CUDA by device, with gradients.
///
/// burn-dispatch's own autodiff stays off: it panics on ordinary mixes of tracked and constant tensors.
pub type Backend = Autodiff<Dispatch>;

/// Where a tensor lives.
pub type Device = burn_dispatch::DispatchDevice;

/// A tensor of rank `D`.
pub type Tensor<const D: usize, K = Float> = burn::tensor::Tensor<Backend, D, K>;

/// The built-in CPU device (Flex), there in every build.
pub fn cpu() -> Device {
    Device::Flex(Default::default())
}

/// The value alone, as a constant. `detach` of a parameter's value keeps it a leaf that wants a gradient: all that is computed from
/// it would keep a graph.
pub fn untracked<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    Tensor::from_inner(tensor.inner())
}

/// Copies a float tensor to the host.
pub fn to_host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.inner().into_data().convert::<f32>().into_vec().expect("converted to f32 just before")
}

/// Copies an int tensor to the host.
pub fn ints_to_host<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i64> {
    tensor.into_data().convert::<i64>().into_vec().expect("converted to i64 just before")
}

/// The value of a tensor of one element.
pub fn scalar(tensor: Tensor<1>) -> f32 {
    to_host(tensor)[0]
}
