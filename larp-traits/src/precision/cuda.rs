//! A product of float32 matrices on CUDA without tensor cores.

use burn_cubecl::kernel::matmul::init_matmul_output;
use burn_dispatch::{BackendTensor, DispatchTensorKind};
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::{Strategy, launch_ref};
use cubek::std::InputBinding;

use crate::primitive::{Inner, down, from_kind, kind, up};

/// The product, when both are float tensors of CUDA.
///
/// # Panics
/// When no kernel can be launched: shapes that do not fit, or no memory.
pub(super) fn product<const D: usize>(lhs: &Inner<D>, rhs: &Inner<D>) -> Option<Inner<D>> {
    let [lhs, rhs] = [lhs, rhs].map(|tensor| kind(down(tensor.clone())));
    let (DispatchTensorKind::Cuda(BackendTensor::Float(lhs)), DispatchTensorKind::Cuda(BackendTensor::Float(rhs))) = (lhs, rhs)
    else {
        return None;
    };
    let dtype = lhs.dtype;
    let output = init_matmul_output(&lhs, &rhs, dtype);
    let mut elements = MatmulElems::from_globals(&MatmulGlobalElems { lhs: dtype.into(), rhs: dtype.into(), out: dtype.into() });
    let client = output.client.clone();
    let [lhs, rhs] = [lhs, rhs].map(|tensor| InputBinding::new(tensor.binding(), dtype.into()));
    launch_ref(&Strategy::SimpleUnit(Default::default()), &client, lhs, rhs, output.clone().binding(), &mut elements)
        .unwrap_or_else(|error| panic!("no kernel for a float32 product: {error:?}"));
    Some(up(from_kind(DispatchTensorKind::Cuda(BackendTensor::Float(output)))))
}
