//! Linear layers in the precision of the pass.

use burn::nn::Linear;
use burn::tensor::{FloatDType, module};

use super::{Factors, Precision, matmul};
use crate::tensor::{Backend, Tensor};

/// A linear layer in the precision of the pass: the output is bf16 in a bf16 pass.
///
/// # Shapes
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[expect(clippy::disallowed_methods, reason = "bf16 factors keep their values on every device")]
pub fn linear<const D: usize>(layer: &Linear<Backend>, input: Tensor<D>) -> Tensor<D> {
    match Precision::current() {
        Precision::Float32 | Precision::Tf32 => linear_float32(layer, input),
        Precision::Bf16 => by_rows(input, |rows| {
            let bias = layer.bias.as_ref().map(|bias| bias.val().cast(FloatDType::BF16));
            module::linear(rows.cast(FloatDType::BF16), layer.weight.val().cast(FloatDType::BF16), bias)
        }),
    }
}

/// A linear layer in float32 in a pass of any precision: for what enters or leaves a network, and for logits.
///
/// # Shapes
/// As [`linear`].
#[expect(clippy::disallowed_methods, reason = "only where Burn's takes the factors of the pass")]
pub fn linear_float32<const D: usize>(layer: &Linear<Backend>, input: Tensor<D>) -> Tensor<D> {
    by_rows(input, |rows| {
        if !Factors::of_pass().need_own_kernel(&rows.device()) {
            return layer.forward(rows);
        }
        let product = matmul(rows, layer.weight.val());
        match &layer.bias {
            Some(bias) => product + bias.val().unsqueeze(),
            None => product,
        }
    })
}

/// Runs `layer` on all the rows as one matrix. Burn's backward of a batch makes a gradient of the weights for each clip, and adds
/// them up after: slower, and more memory.
fn by_rows<const D: usize>(input: Tensor<D>, layer: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Tensor<D> {
    let mut shape = input.dims();
    let inputs = shape[D - 1];
    let output = layer(input.reshape([-1, inputs as i32]));
    shape[D - 1] = output.dims()[1];
    output.reshape(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::cpu;
    use crate::{Init, Stream, init, params};

    #[test]
    fn a_batch_of_rows_is_what_each_row_gives() {
        let layer = params::materialize(init::linear(3, 2, true, Init::Normal { std: 0.5 }, &cpu()), 1);
        let input = Stream::new(2).normal([2, 4, 3], &cpu());
        let batch = linear(&layer, input.clone());
        assert_eq!(batch.dims(), [2, 4, 2]);
        for clip in 0..2 {
            let alone = linear(&layer, input.clone().slice_dim(0, clip..clip + 1).reshape([4, 3]));
            alone.into_data().assert_eq(&batch.clone().slice_dim(0, clip..clip + 1).reshape([4, 2]).into_data(), true);
        }
    }

    #[cfg(feature = "libtorch")]
    #[test]
    fn a_bf16_layer_is_near_the_float32_one_and_has_float32_gradients() {
        use crate::precision::full;
        use crate::tensor::{Device, to_host};
        let device = Device::LibTorch(burn_tch::LibTorchDevice::Cpu);
        let layer = params::materialize(init::linear(64, 32, true, Init::Normal { std: 0.2 }, &device), 1);
        let input = Stream::new(2).normal([16, 96, 64], &device).require_grad();
        let run = |precision: Precision| {
            let output = precision.within(|| linear(&layer, input.clone()));
            let dtype = output.dtype();
            let gradients = full(output.clone()).square().mean().backward();
            let weight = layer.weight.val().grad(&gradients).expect("tracked");
            assert_eq!(weight.dtype(), burn::tensor::DType::F32);
            (dtype, to_host(full(output)), to_host(Tensor::<2>::from_inner(weight)))
        };
        let ((exact, a, b), (rough, c, d)) = (run(Precision::Float32), run(Precision::Bf16));
        assert_eq!((exact, rough), (burn::tensor::DType::F32, burn::tensor::DType::BF16));
        for (exact, rough) in [(a, c), (b, d)] {
            let norm = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            let difference: Vec<f32> = exact.iter().zip(&rough).map(|(a, b)| a - b).collect();
            let share = norm(&difference) / norm(&exact);
            assert!(share > 0.0 && share < 0.01, "{share}");
        }
    }
}
