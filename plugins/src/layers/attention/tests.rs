use burn::tensor::activation::softmax;
use larp_traits::conformance::devices;
use larp_traits::precision::matmul;
use larp_traits::tensor::{cpu, to_host};
use larp_traits::{Device, Draw, Stream, Tensor};

use super::chunked::{chunks, keep};
use super::{AttentionInput, Dropped, Mask, attention, attention_with_dropout, naive_attention, self_attention};
use crate::layers::vit::{merge_heads, split_heads};

struct Outcome {
    output: Vec<f32>,
    gradients: [Vec<f32>; 3],
}

fn run(shape: [usize; 4], device: &Device, f: impl Fn(AttentionInput) -> Tensor<4>) -> Outcome {
    let draw = |name| Tensor::from_data(to_data(shape, name), device);
    let [query, key, value] = ["q", "k", "v"].map(|name| draw(name).require_grad());
    let weight = draw("w");
    let output = f(AttentionInput { query: query.clone(), key: key.clone(), value: value.clone() });
    let grads = (output.clone() * weight).sum().backward();
    let gradients = [query, key, value].map(|t| t.grad(&grads).expect("tracked").into_data().to_vec().expect("f32"));
    Outcome { output: to_host(output), gradients }
}

fn to_data(shape: [usize; 4], name: &str) -> larp_traits::tensor::TensorData {
    Stream::new(3).fork(name).normal(shape, &cpu()).into_data()
}

fn assert_close(name: &str, found: &[f32], expected: &[f32]) {
    let norm = expected.iter().map(|x| x * x).sum::<f32>().sqrt();
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    assert!(difference <= 1e-5 * norm, "{name}: {difference} of {norm}");
}

fn compare(shape: [usize; 4], mask: Mask) {
    for device in devices() {
        let fused = run(shape, &device, |input| attention(input, mask));
        let naive = run(shape, &device, |input| naive_attention(input, mask, 0.0, Draw::Deterministic));
        assert_close("output", &fused.output, &naive.output);
        for (name, (a, b)) in ["query", "key", "value"].into_iter().zip(fused.gradients.iter().zip(&naive.gradients)) {
            assert_close(name, a, b);
        }
    }
}

#[test]
fn values_and_gradients_equal_the_naive_ones() {
    compare([2, 3, 37, 16], Mask::Full);
}

#[test]
fn causal_values_and_gradients_equal_the_naive_ones() {
    compare([2, 3, 37, 16], Mask::Causal);
}

#[test]
fn several_chunks_equal_the_naive_result() {
    compare([2, 4, 1100, 8], Mask::Full);
    compare([2, 4, 1100, 8], Mask::Causal);
}

#[test]
fn untracked_attention_equals_the_tracked_one() {
    for device in devices() {
        for mask in [Mask::Full, Mask::Causal] {
            let [query, key, value] = ["q", "k", "v"].map(|name| Tensor::from_data(to_data([2, 2, 19, 8], name), &device));
            let input = AttentionInput { query, key, value };
            let untracked = attention(input.clone(), mask);
            let tracked = attention(AttentionInput { query: input.query.clone().require_grad(), ..input }, mask);
            assert_close("output", &to_host(untracked), &to_host(tracked));
        }
    }
}

/// The chain of single operations with the masks that the fused one draws for its chunks.
fn naive_with_masks(input: AttentionInput, mask: Mask, dropped: Dropped) -> Tensor<4> {
    let AttentionInput { query, key, value } = input;
    let ([batch, heads, tokens, head_dim], device) = (query.dims(), query.device());
    let masks = chunks(query.dims(), tokens).map(|(start, end)| {
        let seen = if mask == Mask::Causal { end } else { tokens };
        let kept = keep(dropped, start, [batch, heads, end - start, seen], &device);
        if seen == tokens {
            return kept;
        }
        let unseen = burn::tensor::Tensor::zeros([batch, heads, end - start, tokens - seen], &device);
        burn::tensor::Tensor::cat(vec![kept, unseen], 3)
    });
    let masks = Tensor::<4>::from_inner(burn::tensor::Tensor::cat(masks.collect(), 2));
    let mut scores = matmul(query, key.swap_dims(2, 3)).mul_scalar(1.0 / (head_dim as f64).sqrt());
    if mask == Mask::Causal {
        let future = Tensor::<2>::ones([tokens, tokens], &device).triu(1).greater_elem(0.5);
        scores = scores.mask_fill(future.unsqueeze::<4>().expand([1, 1, tokens, tokens]), f32::NEG_INFINITY);
    }
    matmul(softmax(scores, 3) * masks, value)
}

#[test]
fn dropout_equals_the_naive_one_with_the_same_masks() {
    let dropped = Dropped { probability: 0.3, stream: Stream::new(8) };
    for (shape, mask) in [([2, 3, 37, 16], Mask::Full), ([2, 3, 37, 16], Mask::Causal), ([2, 4, 1100, 8], Mask::Causal)] {
        for device in devices() {
            let draw = Draw::Stream(dropped.stream);
            let fused = run(shape, &device, |input| attention_with_dropout(input, mask, dropped.probability, draw));
            let naive = run(shape, &device, |input| naive_with_masks(input, mask, dropped));
            assert_close("output", &fused.output, &naive.output);
            for (name, (a, b)) in ["query", "key", "value"].into_iter().zip(fused.gradients.iter().zip(&naive.gradients)) {
                assert_close(name, a, b);
            }
        }
    }
}

#[test]
fn dropout_keeps_its_share_of_the_probabilities() {
    let dropped = Dropped { probability: 0.3, stream: Stream::new(8) };
    let kept = to_host(Tensor::<4>::from_inner(keep(dropped, 0, [1, 1, 100, 100], &cpu())));
    let share = kept.iter().filter(|&&value| value > 0.0).count() as f64 / 1e4;
    assert!((share - 0.7).abs() < 0.02, "{share}");
}

#[test]
fn packed_attention_equals_that_of_cut_heads() {
    let heads = 3;
    let input = Stream::new(5).normal([2, 37, 3 * heads * 16], &cpu()).into_data();
    for (device, mask) in devices().into_iter().flat_map(|device| [(device.clone(), Mask::Full), (device, Mask::Causal)]) {
        let run = |attend: &dyn Fn(Tensor<3>) -> Tensor<3>| {
            let qkv = Tensor::<3>::from_data(input.clone(), &device).require_grad();
            let output = attend(qkv.clone());
            let gradients = output.clone().powi_scalar(3).sum().backward();
            (to_host(output), to_host(Tensor::<3>::from_inner(qkv.grad(&gradients).expect("tracked"))))
        };
        let (output, gradient) = run(&|qkv| self_attention(qkv, heads, mask));
        let (expected, expected_gradient) =
            run(&|qkv| merge_heads(naive_attention(split_heads(qkv, heads), mask, 0.0, Draw::Deterministic)));
        assert_close("output", &output, &expected);
        assert_close("gradient", &gradient, &expected_gradient);
        let untracked = Tensor::<3>::from_data(input.clone(), &device);
        assert_close("untracked", &to_host(self_attention(untracked, heads, mask)), &expected);
    }
}
