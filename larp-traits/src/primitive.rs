//! What lies inside a tensor of the one backend: the tensor of Flex, libtorch or CUDA.

use burn_dispatch::{DispatchTensor, DispatchTensorKind};

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
