//! Attention over chunks of queries: the largest tensor is `[batch, heads, chunk, tokens]`.

use burn_dispatch::DispatchTensor;
use larp_traits::Device;
use larp_traits::precision::{Factors, product};
use larp_traits::primitive::{Inner, down, up};

use super::{Dropped, FusedAttention, InputGradients, Mask, Saved};

type T = Inner<4>;

/// Values of one chunk of scores. Small enough to stay near the cache of a CPU, large enough that a step of the loop is one large
/// matrix product.
const CHUNK_VALUES: usize = 1 << 22;

fn scale(head_dim: usize) -> f64 {
    1.0 / (head_dim as f64).sqrt()
}

/// What the probabilities of the chunk at `start` are multiplied by.
pub(super) fn keep(dropped: Dropped, start: usize, shape: [usize; 4], device: &Device) -> T {
    let uniform = dropped.stream.at(start as u64).uniform(shape, device).inner();
    uniform.greater_equal_elem(dropped.probability).float().mul_scalar(1.0 / (1.0 - dropped.probability))
}

/// Start and end of each chunk of queries.
pub(super) fn chunks([batch, heads, queries, _]: [usize; 4], keys: usize) -> impl Iterator<Item = (usize, usize)> {
    let size = (CHUNK_VALUES / (batch * heads * keys)).clamp(16, queries.max(16));
    (0..queries).step_by(size).map(move |start| (start, (start + size).min(queries)))
}

/// One chunk of queries with the keys and values that it sees.
struct Chunk {
    start: usize,
    end: usize,
    keys: usize,
}

impl Chunk {
    fn new((start, end): (usize, usize), keys: usize, mask: Mask) -> Self {
        Self { start, end, keys: if mask == Mask::Causal { end } else { keys } }
    }

    fn queries(&self, tensor: &T) -> T {
        tensor.clone().slice_dim(2, self.start..self.end)
    }

    fn seen(&self, tensor: &T) -> T {
        tensor.clone().slice_dim(2, 0..self.keys)
    }

    /// Dropout of this chunk's probabilities, or of their gradients: the same mask each time.
    fn with_dropout(&self, weights: T, dropped: Option<Dropped>) -> T {
        match dropped {
            Some(dropped) => {
                let kept = keep(dropped, self.start, weights.dims(), &weights.device());
                weights * kept
            }
            None => weights,
        }
    }

    /// Scaled and masked scores, `[batch, heads, chunk, keys]`.
    fn scores(&self, q: &T, k: &T, mask: Mask, factors: Factors) -> T {
        let scores = product(self.queries(q), self.seen(k).swap_dims(2, 3), factors).mul_scalar(scale(q.dims()[3]));
        match mask {
            Mask::Full => scores,
            Mask::Causal => {
                let rows = self.end - self.start;
                let future = Inner::<2>::ones([rows, self.keys], &scores.device())
                    .triu(self.start as i64 + 1)
                    .greater_elem(0.5)
                    .unsqueeze::<4>();
                scores.mask_fill(future.expand([1, 1, rows, self.keys]), f32::NEG_INFINITY)
            }
        }
    }
}

pub(super) fn forward(
    q: &DispatchTensor,
    k: &DispatchTensor,
    v: &DispatchTensor,
    FusedAttention { mask, dropped, factors }: FusedAttention,
) -> (DispatchTensor, DispatchTensor) {
    let [q, k, v] = [q, k, v].map(|t| up(t.clone()));
    let keys = k.dims()[2];
    let (mut outputs, mut sums) = (Vec::new(), Vec::new());
    for range in chunks(q.dims(), keys) {
        let chunk = Chunk::new(range, keys, mask);
        let scores = chunk.scores(&q, &k, mask, factors);
        let max = scores.clone().max_dim(3);
        let weights = (scores - max.clone()).exp();
        let sum = weights.clone().sum_dim(3);
        let weights = chunk.with_dropout(weights, dropped);
        outputs.push(product(weights, chunk.seen(&v), factors) / sum.clone());
        sums.push(sum.log() + max);
    }
    (down(chain(outputs)), down(chain(sums)))
}

pub(super) fn backward(saved: Saved, gradient: DispatchTensor, operation: FusedAttention) -> InputGradients {
    let FusedAttention { mask, dropped, factors } = operation;
    let [q, k, v, output, sums, gradient] = [saved.q, saved.k, saved.v, saved.output, saved.log_sum_exp, gradient].map(up);
    let keys = k.dims()[2];
    let scale = scale(q.dims()[3]);
    let delta = (gradient.clone() * output).sum_dim(3);
    let (mut dq, mut dk, mut dv) = (Vec::new(), None::<T>, None::<T>);
    for range in chunks(q.dims(), keys).collect::<Vec<_>>().into_iter().rev() {
        let chunk = Chunk::new(range, keys, mask);
        let weights = (chunk.scores(&q, &k, mask, factors) - chunk.queries(&sums)).exp();
        let gradient = chunk.queries(&gradient);
        let kept = chunk.with_dropout(weights.clone(), dropped);
        accumulate(&mut dv, product(kept.swap_dims(2, 3), gradient.clone(), factors), chunk.keys);
        let dweights = chunk.with_dropout(product(gradient, chunk.seen(&v).swap_dims(2, 3), factors), dropped);
        let dscores = (weights * (dweights - chunk.queries(&delta))).mul_scalar(scale);
        dq.push(product(dscores.clone(), chunk.seen(&k), factors));
        accumulate(&mut dk, product(dscores.swap_dims(2, 3), chunk.queries(&q), factors), chunk.keys);
    }
    dq.reverse();
    let total = |sum: Option<T>, like: &T| down(sum.unwrap_or_else(|| like.zeros_like()));
    InputGradients([down(chain(dq)), total(dk, &k), total(dv, &v)])
}

/// The chunks one after the other; a single one as it is.
fn chain(mut chunks: Vec<T>) -> T {
    if chunks.len() == 1 { chunks.remove(0) } else { T::cat(chunks, 2) }
}

/// Adds the part for the first `keys` keys. Chunks come last first, so the first part covers every key.
fn accumulate(sum: &mut Option<T>, part: T, keys: usize) {
    *sum = Some(match sum.take() {
        None => part,
        Some(sum) if sum.dims()[2] == keys => sum + part,
        Some(sum) => {
            let total = sum.dims()[2];
            let (first, rest) = (sum.clone().slice_dim(2, 0..keys), sum.slice_dim(2, keys..total));
            T::cat(vec![first + part, rest], 2)
        }
    });
}
