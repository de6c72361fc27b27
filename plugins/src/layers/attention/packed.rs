//! Self-attention on queries, keys and values as their linear layer gives them.
//!
//! With the heads cut out and joined inside the operation, the gradients of queries, keys and values are written into one tensor once.
//! Outside of it, each becomes a tensor of zeros with a third filled in, and three of those are added up.

use burn::tensor::{DType, FloatDType, TensorData, TensorPrimitive};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_dispatch::{Dispatch, DispatchTensor};
use larp_traits::precision::{Factors, full};
use larp_traits::primitive::{Inner, down, up};
use larp_traits::{Device, Tensor};

use super::{FusedAttention, InputGradients, Mask, Saved, accumulates_in_float32, backward, forward, untracked};

/// `softmax(q k^T / sqrt(head_dim)) v` for each head.
///
/// # Shapes
/// - qkv: `[batch, tokens, 3 * heads * head_dim]`, all queries, then all keys, then all values
/// - output: `[batch, tokens, heads * head_dim]`
pub fn self_attention(qkv: Tensor<3>, heads: usize, mask: Mask) -> Tensor<3> {
    let dtype: FloatDType = qkv.dtype().into();
    if dtype != FloatDType::F32 && !accumulates_in_float32(&qkv.device()) {
        // TF32 holds every value of bf16
        return packed(full(qkv), heads, FusedAttention { mask, dropped: None, factors: Factors::Tf32 }).cast(dtype);
    }
    packed(qkv, heads, FusedAttention { mask, dropped: None, factors: Factors::of_pass() })
}

fn packed(qkv: Tensor<3>, heads: usize, attention: FusedAttention) -> Tensor<3> {
    let qkv = qkv.into_primitive().tensor();
    let [q, k, v] = apart(up::<3>(qkv.primitive), 3, heads).try_into().expect("three of them");
    let output = match (SelfAttention { heads, attention }).prepare::<NoCheckpointing>([qkv.node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, log_sum_exp) = forward(&q, &k, &v, attention);
            let joined = joined(vec![output.clone()]);
            prepared.finish(Saved { q, k, v, output, log_sum_exp }, joined)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(joined(vec![untracked(q, k, v, attention)])),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}

#[derive(Debug)]
struct SelfAttention {
    heads: usize,
    attention: FusedAttention,
}

impl Backward<Dispatch, 1> for SelfAttention {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = up::<3>(grads.consume::<Dispatch>(&ops.node));
        let [batch, tokens, width] = gradient.dims();
        let gradient = gradient.reshape([batch, tokens, self.heads, width / self.heads]);
        let gradient = if copies_rows(&gradient) { swapped(gradient) } else { gradient.swap_dims(1, 2) };
        let InputGradients(inputs) = backward(ops.state, down(gradient), self.attention);
        if let [Some(parent)] = ops.parents {
            grads.register::<Dispatch>(parent.id, joined(inputs.into()));
        }
    }
}

/// Cuts `[batch, tokens, parts * heads * head_dim]` into views of `[batch, heads, tokens, head_dim]`.
fn apart(tensor: Inner<3>, parts: usize, heads: usize) -> Vec<DispatchTensor> {
    let [batch, tokens, width] = tensor.dims();
    let rows = tensor.reshape([batch, tokens, parts * heads, width / parts / heads]);
    let part = |i| down(rows.clone().slice_dim(2, i * heads..(i + 1) * heads).swap_dims(1, 2));
    (0..parts).map(part).collect()
}

/// Joins parts of `[batch, heads, tokens, head_dim]` to `[batch, tokens, parts * heads * head_dim]`.
fn joined(parts: Vec<DispatchTensor>) -> DispatchTensor {
    let parts: Vec<Inner<4>> = parts.into_iter().map(up::<4>).collect();
    if copies_rows(&parts[0]) {
        return down(interleaved(parts));
    }
    let [batch, heads, tokens, head_dim] = parts[0].dims();
    let rows = parts.into_iter().map(|part| part.swap_dims(1, 2).reshape([batch, tokens, heads * head_dim]));
    down(Inner::cat(rows.collect(), 2))
}

/// On Flex the rows of heads are copied whole, where it would gather value by value.
fn copies_rows(tensor: &Inner<4>) -> bool {
    matches!(tensor.device(), Device::Flex(_)) && tensor.dtype() == DType::F32
}

/// `[batch, a, b, row]` to `[batch, b, a, row]`.
fn swapped(tensor: Inner<4>) -> Inner<4> {
    let [batch, a, b, row] = tensor.dims();
    interleaved(vec![tensor]).reshape([batch, b, a, row])
}

/// Parts of `[batch, a, b, row]` to `[batch, b, parts * a * row]`.
fn interleaved(parts: Vec<Inner<4>>) -> Inner<3> {
    let ([batch, a, b, length], device, count) = (parts[0].dims(), parts[0].device(), parts.len());
    let mut joined = vec![0.0; batch * a * b * length * count];
    for (part, tensor) in parts.into_iter().enumerate() {
        let data = tensor.into_data();
        let values = data.as_slice::<f32>().expect("float32, as the caller checked");
        for (i, row) in values.chunks_exact(length).enumerate() {
            let (clip, x, y) = (i / b / a, i / b % a, i % b);
            let at = (((clip * b + y) * count + part) * a + x) * length;
            joined[at..at + length].copy_from_slice(row);
        }
    }
    Inner::from_data(TensorData::new(joined, [batch, b, count * a * length]), &device)
}
