//! What a pass computes in: float32, float32 with TF32 products, or bf16. Parameters are float32 in any case.
//!
//! Float32 is float32 on every device. On CUDA it takes [`matmul`], and [`linear`] and [`linear_float32`] that use it: Burn's own
//! product rounds its factors there.
//!
//! bf16 is as in PyTorch's autocast: within [`Precision::within`], [`linear`] computes in bf16 and gives bf16 on to what follows it
//! inside a block (attention, activations); whoever adds to the residual stream takes [`full`] of it. Everything else (parameters,
//! residual stream, norms, quantizer, logits and losses) stays float32, and so does a component that knows nothing of this. Gradients
//! come back to the parameters in float32.

#[cfg(feature = "cuda")]
mod cuda;
mod linear;
mod product;

use std::cell::Cell;

use burn::tensor::FloatDType;
use serde::{Deserialize, Serialize};

use crate::error::SettingsError;
use crate::tensor::{Device, Tensor};

pub use linear::{linear, linear_float32};
pub use product::{Factors, matmul, product};

/// What the blocks of transformers compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Float32,
    /// 32 bits, with the factors of products of matrices rounded to 11 bits of mantissa: what CUDA's tensor cores take.
    Tf32,
    /// 16 bits with the exponent of float32.
    Bf16,
}

thread_local! {
    /// The precision of the forward pass that is under way on this thread.
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::Float32) };
}

impl Precision {
    /// That of the forward pass that is under way on this thread.
    pub fn current() -> Self {
        CURRENT.get()
    }

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
    /// For bf16 on Flex, which would only be slower by it, and for TF32 on anything but CUDA.
    pub fn check(self, key: &str, device: &Device) -> Result<(), SettingsError> {
        match (self, device) {
            (Self::Bf16, Device::Flex(_)) => {
                Err(SettingsError::value(key, "bf16", "the device `cpu` computes in float32; choose that, or libtorch or CUDA"))
            }
            (Self::Tf32, device) if !product::rounds(device) => Err(SettingsError::value(
                key,
                "tf32",
                "only the devices `cuda:N` round to TF32; this one multiplies in float32: choose `float32`",
            )),
            _ => Ok(()),
        }
    }
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
    fn the_cpu_refuses_tf32_and_says_what_to_do() {
        let error = Precision::Tf32.check("train.precision", &cpu()).expect_err("refused").to_string();
        assert!(error.contains("`train.precision` is tf32") && error.contains("`cuda:N`"), "{error}");
    }

    #[test]
    fn flex_refuses_bf16_and_says_what_to_do() {
        let error = Precision::Bf16.check("train.precision", &cpu()).expect_err("refused").to_string();
        assert!(error.contains("`train.precision` is bf16") && error.contains("libtorch or CUDA"), "{error}");
    }
}
