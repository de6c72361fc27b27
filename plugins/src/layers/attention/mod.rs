//! Scaled dot-product attention with its own backward.
//!
//! Burn's attention is composed of single operations under autodiff and keeps several `[batch, heads, tokens, tokens]` tensors for
//! the backward pass. This one keeps queries, keys, values, output and one log-sum-exp a query. On a libtorch CPU it calls
//! libtorch's flash kernels; elsewhere it works in chunks of queries (Dao et al., 2022).

mod chunked;
#[cfg(feature = "libtorch")]
mod libtorch;
mod packed;

use burn::tensor::activation::softmax;
use burn::tensor::{FloatDType, TensorPrimitive, ops::ModuleOps};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ops::AttentionModuleOptions;
use burn_dispatch::{Dispatch, DispatchTensor};
use larp_traits::precision::{Factors, full, matmul};
use larp_traits::primitive::up;
use larp_traits::{Device, Draw, Stream, Tensor};

use super::dropout::dropout;
pub use packed::self_attention;

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All.
    Full,
    /// Those at or before its own position.
    Causal,
}

/// Queries, keys and values, `[batch, heads, tokens, head_dim]` each.
#[derive(Debug, Clone)]
pub struct AttentionInput {
    /// Queries.
    pub query: Tensor<4>,
    /// Keys.
    pub key: Tensor<4>,
    /// Values.
    pub value: Tensor<4>,
}

/// Dropout of the probabilities. The masks are drawn again for the backward pass, which is why they take no memory between the two.
#[derive(Debug, Clone, Copy)]
struct Dropped {
    probability: f64,
    stream: Stream,
}

/// `softmax(q k^T / sqrt(head_dim)) v`.
///
/// # Shapes
/// - output: `[batch, heads, tokens, head_dim]`
///
/// # Panics
/// When a causal mask is asked for and there are not as many queries as keys.
pub fn attention(input: AttentionInput, mask: Mask) -> Tensor<4> {
    fused(input, FusedAttention { mask, dropped: None, factors: Factors::of_pass() })
}

/// [`attention`] with dropout on the probabilities; without when the draw is deterministic.
///
/// # Shapes
/// - output: `[batch, heads, tokens, head_dim]`
///
/// # Panics
/// When a causal mask is asked for and there are not as many queries as keys.
pub fn attention_with_dropout(input: AttentionInput, mask: Mask, probability: f64, draw: Draw) -> Tensor<4> {
    let dropped = match draw {
        Draw::Stream(stream) if probability > 0.0 => Some(Dropped { probability, stream }),
        _ => None,
    };
    fused(input, FusedAttention { mask, dropped, factors: Factors::of_pass() })
}

fn fused(input: AttentionInput, operation: FusedAttention) -> Tensor<4> {
    let dtype: FloatDType = input.query.dtype().into();
    if dtype != FloatDType::F32 && (operation.dropped.is_some() || !accumulates_in_float32(&input.query.device())) {
        let AttentionInput { query, key, value } = input;
        // TF32 holds every value of bf16
        let input = AttentionInput { query: full(query), key: full(key), value: full(value) };
        return fused(input, FusedAttention { factors: Factors::Tf32, ..operation }).cast(dtype);
    }
    let AttentionInput { query, key, value } = input;
    assert!(operation.mask == Mask::Full || query.dims()[2] == key.dims()[2], "a causal mask is square");
    let [query, key, value] = [query, key, value].map(|t| t.into_primitive().tensor());
    let nodes = [query.node.clone(), key.node.clone(), value.node.clone()];
    let [q, k, v] = [query.primitive, key.primitive, value.primitive];
    let output = match operation.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, log_sum_exp) = forward(&q, &k, &v, operation);
            prepared.finish(Saved { q, k, v, output: output.clone(), log_sum_exp }, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(untracked(q, k, v, operation)),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}

/// Attention of which nothing has to be kept: the backend's own, where it has what is asked for.
fn untracked(q: DispatchTensor, k: DispatchTensor, v: DispatchTensor, operation: FusedAttention) -> DispatchTensor {
    if operation.dropped.is_some() || operation.factors.need_own_kernel(&up::<4>(q.clone()).device()) {
        return forward(&q, &k, &v, operation).0;
    }
    let options = AttentionModuleOptions { is_causal: operation.mask == Mask::Causal, ..Default::default() };
    Dispatch::attention(q, k, v, None, None, options)
}

/// Whether the kernels of a device take their softmax in float32 whatever the inputs are.
fn accumulates_in_float32(device: &Device) -> bool {
    #[cfg(feature = "libtorch")]
    if matches!(device, Device::LibTorch(burn_tch::LibTorchDevice::Cpu)) {
        return true;
    }
    let _ = device;
    false
}

/// Attention as a chain of single operations, with dropout on the probabilities: the reference that [`attention`] is tested
/// against.
pub fn naive_attention(input: AttentionInput, mask: Mask, probability: f64, draw: Draw) -> Tensor<4> {
    let AttentionInput { query, key, value } = input;
    let [_, _, tokens, head_dim] = query.dims();
    let dtype: FloatDType = value.dtype().into();
    let mut scores = full(matmul(query, key.swap_dims(2, 3))).mul_scalar(1.0 / (head_dim as f64).sqrt());
    if mask == Mask::Causal {
        let future = Tensor::<2>::ones([tokens, tokens], &scores.device()).triu(1).greater_elem(0.5);
        scores = scores.mask_fill(future.unsqueeze::<4>().expand([1, 1, tokens, tokens]), f32::NEG_INFINITY);
    }
    matmul(dropout(softmax(scores, 3), probability, draw).cast(dtype), value)
}

#[derive(Debug, Clone, Copy)]
struct FusedAttention {
    mask: Mask,
    dropped: Option<Dropped>,
    factors: Factors,
}

#[derive(Debug, Clone)]
struct Saved {
    q: DispatchTensor,
    k: DispatchTensor,
    v: DispatchTensor,
    output: DispatchTensor,
    log_sum_exp: DispatchTensor,
}

/// Gradients to queries, keys and values.
struct InputGradients([DispatchTensor; 3]);

impl Backward<Dispatch, 3> for FusedAttention {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Dispatch>(&ops.node);
        let InputGradients(inputs) = backward(ops.state, gradient, self);
        for (parent, gradient) in ops.parents.into_iter().zip(inputs) {
            if let Some(parent) = parent {
                grads.register::<Dispatch>(parent.id, gradient);
            }
        }
    }
}

fn forward(
    q: &DispatchTensor,
    k: &DispatchTensor,
    v: &DispatchTensor,
    operation: FusedAttention,
) -> (DispatchTensor, DispatchTensor) {
    // libtorch's kernel for the CPU has no dropout
    #[cfg(feature = "libtorch")]
    if operation.dropped.is_none()
        && let Some(result) = libtorch::forward(q, k, v, operation.mask)
    {
        return result;
    }
    chunked::forward(q, k, v, operation)
}

fn backward(saved: Saved, gradient: DispatchTensor, operation: FusedAttention) -> InputGradients {
    #[cfg(feature = "libtorch")]
    if operation.dropped.is_none()
        && let Some(result) = libtorch::backward(&saved, &gradient, operation.mask)
    {
        return result;
    }
    chunked::backward(saved, gradient, operation)
}

#[cfg(test)]
mod tests;
