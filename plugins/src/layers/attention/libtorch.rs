//! libtorch's flash attention for the CPU.

use burn_dispatch::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn_tch::TchTensor;
use larp_traits::primitive::{from_kind, kind};

use super::{InputGradients, Mask, Saved};

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
