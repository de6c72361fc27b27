//! Computing in bf16 with parameters in float32.
//!
//! As in PyTorch's autocast: within [`Precision::within`], [`linear`] computes in bf16 and gives bf16 on to what follows it inside a
//! block (attention, activations); whoever adds to the residual stream takes [`full`] of it. Everything else (parameters, residual
//! stream, norms, quantizer, logits and losses) stays float32, and so does a component that knows nothing of this. Gradients come
//! back to the parameters in float32.

use std::cell::Cell;

use burn::nn::Linear;
use burn::tensor::{FloatDType, module};
use serde::{Deserialize, Serialize};

use crate::error::SettingsError;
use crate::tensor::{Backend, Device, Tensor};

/// What the blocks of transformers compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Float32,
    /// 16 bits with the exponent of float32.
    Bf16,
}

thread_local! {
    /// The precision of the forward pass that is under way on this thread.
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::Float32) };
}

impl Precision {
    /// Runs a forward pass in this precision.
    pub fn within<T>(self, pass: impl FnOnce() -> T) -> T {
        struct Restore(Precision);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(self));
        pass()
    }

    /// Checks that a device can do it; `key` names the setting in the error.
    ///
    /// # Errors
    /// For bf16 on Flex, which would only be slower by it.
    pub fn check(self, key: &str, device: &Device) -> Result<(), SettingsError> {
        match (self, device) {
            (Self::Bf16, Device::Flex(_)) => {
                Err(SettingsError::value(key, "bf16", "the device `cpu` computes in float32; choose that, or libtorch or CUDA"))
            }
            _ => Ok(()),
        }
    }
}

/// A linear layer in the precision of the pass: the output is bf16 in a bf16 pass.
///
/// # Shapes
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
pub fn linear<const D: usize>(layer: &Linear<Backend>, input: Tensor<D>) -> Tensor<D> {
    match CURRENT.get() {
        Precision::Float32 => linear_float32(layer, input),
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
pub fn linear_float32<const D: usize>(layer: &Linear<Backend>, input: Tensor<D>) -> Tensor<D> {
    by_rows(input, |rows| layer.forward(rows))
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

/// The tensor in float32; the same tensor when it is that already.
pub fn full<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.cast(FloatDType::F32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::cpu;

    #[test]
    fn the_precision_holds_for_its_pass_alone() {
        let inner = Precision::Bf16.within(|| (CURRENT.get(), Precision::Float32.within(|| CURRENT.get()), CURRENT.get()));
        assert_eq!(inner, (Precision::Bf16, Precision::Float32, Precision::Bf16));
        assert_eq!(CURRENT.get(), Precision::Float32);
    }

    #[test]
    fn flex_refuses_bf16_and_says_what_to_do() {
        let error = Precision::Bf16.check("train.precision", &cpu()).expect_err("refused").to_string();
        assert!(error.contains("`train.precision` is bf16") && error.contains("libtorch or CUDA"), "{error}");
    }

    #[test]
    fn a_batch_of_rows_is_what_each_row_gives() {
        use crate::{Init, init, params};
        let layer = params::materialize(init::linear(3, 2, true, Init::Normal { std: 0.5 }, &cpu()), 1);
        let input = crate::Stream::new(2).normal([2, 4, 3], &cpu());
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
        use crate::tensor::to_host;
        use crate::{Init, Stream, init, params};
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
