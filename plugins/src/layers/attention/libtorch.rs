//! libtorch's flash attention for the CPU.

use burn_dispatch::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn_tch::TchTensor;

use super::{InputGradients, Mask, Saved};

// With burn-dispatch's `autodiff` feature off, `DispatchTensor` is a struct of one private field, its kind.
const _: () = assert!(size_of::<DispatchTensor>() == size_of::<DispatchTensorKind>());

#[allow(unsafe_code)]
fn kind(tensor: DispatchTensor) -> DispatchTensorKind {
    // SAFETY: a struct of one field has that field's size, alignment and validity, at offset 0; sizes are compared above
    unsafe { std::mem::transmute(tensor) }
}

#[allow(unsafe_code)]
fn from_kind(kind: DispatchTensorKind) -> DispatchTensor {
    // SAFETY: as in `kind`
    unsafe { std::mem::transmute(kind) }
}

/// The libtorch tensor, when it is one on the CPU.
fn get(tensor: &DispatchTensor) -> Option<tch::Tensor> {
    match kind(tensor.clone()) {
        DispatchTensorKind::LibTorch(BackendTensor::Float(t)) if t.tensor.device() == tch::Device::Cpu => {
            Some(t.tensor.shallow_clone())
        }
        _ => None,
    }
}

fn put(tensor: tch::Tensor) -> DispatchTensor {
    from_kind(DispatchTensorKind::LibTorch(BackendTensor::Float(TchTensor::new(tensor))))
}

pub(super) fn forward(
    q: &DispatchTensor,
    k: &DispatchTensor,
    v: &DispatchTensor,
    mask: Mask,
) -> Option<(DispatchTensor, DispatchTensor)> {
    let (q, k, v) = (get(q)?, get(k)?, get(v)?);
    let causal = mask == Mask::Causal;
    let (output, log_sum_exp) =
        tch::Tensor::internal_scaled_dot_product_flash_attention_for_cpu(&q, &k, &v, 0.0, causal, None::<&tch::Tensor>, None);
    Some((put(output), put(log_sum_exp)))
}

pub(super) fn backward(saved: &Saved, gradient: &DispatchTensor, mask: Mask) -> Option<InputGradients> {
    let [q, k, v] = [get(&saved.q)?, get(&saved.k)?, get(&saved.v)?];
    let [output, log_sum_exp, gradient] = [get(&saved.output)?, get(&saved.log_sum_exp)?, get(gradient)?];
    let causal = mask == Mask::Causal;
    let (dq, dk, dv) = tch::Tensor::internal_scaled_dot_product_flash_attention_for_cpu_backward(
        &gradient,
        &q,
        &k,
        &v,
        &output,
        &log_sum_exp,
        0.0,
        causal,
        None::<&tch::Tensor>,
        None,
    );
    Some(InputGradients([dq, dk, dv].map(put)))
}
