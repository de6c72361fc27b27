//! What lies inside a tensor of the one backend: the tensor below autodiff, and in it the one of Flex, libtorch or CUDA.

use burn::tensor::{Tensor as BurnTensor, TensorPrimitive};
use burn_dispatch::{Dispatch, DispatchTensor, DispatchTensorKind};

/// A tensor below autodiff.
pub type Inner<const D: usize> = BurnTensor<Dispatch, D>;

/// The tensor of a primitive.
pub fn up<const D: usize>(tensor: DispatchTensor) -> Inner<D> {
    Inner::from_primitive(TensorPrimitive::Float(tensor))
}

/// The primitive of a float tensor.
pub fn down<const D: usize>(tensor: Inner<D>) -> DispatchTensor {
    tensor.into_primitive().tensor()
}

// With burn-dispatch's `autodiff` feature off, `DispatchTensor` is a struct of one private field, its kind.
const _: () = assert!(size_of::<DispatchTensor>() == size_of::<DispatchTensorKind>());

/// Opens a tensor.
#[allow(unsafe_code)]
pub fn kind(tensor: DispatchTensor) -> DispatchTensorKind {
    // SAFETY: a struct of one field has that field's size, alignment and validity, at offset 0; sizes are compared above
    unsafe { std::mem::transmute(tensor) }
}

/// Closes it again.
#[allow(unsafe_code)]
pub fn from_kind(kind: DispatchTensorKind) -> DispatchTensor {
    // SAFETY: as in `kind`
    unsafe { std::mem::transmute(kind) }
}
