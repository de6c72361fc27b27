//! GELU (Hendrycks and Gimpel, 2016), `x Φ(x)`, whose slope is found along with its value.
//!
//! On Flex a sixth of the demo's training went into Burn's, which calls a scalar `erf` in both passes. This one takes `Φ` from formula
//! 7.1.26 of Abramowitz and Stegun (off by less than 1e-7), several values at a time. Elsewhere it is Burn's.

use burn::tensor::{DType, TensorData, TensorPrimitive, activation};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};
use larp_traits::primitive::{Inner, down, up};
use larp_traits::{Device, Tensor};

/// GELU without the approximation by a hyperbolic tangent.
pub fn gelu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    if !matches!(input.device(), Device::Flex(_)) || input.dtype() != DType::F32 {
        return activation::gelu(input);
    }
    let input = input.into_primitive().tensor();
    let (value, slope) = on_host::<D>(input.primitive);
    let output = match Gelu.prepare::<NoCheckpointing>([input.node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(slope, value),
        OpsKind::UnTracked(prepared) => prepared.finish(value),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}

#[derive(Debug)]
struct Gelu;

impl Backward<Dispatch, 1> for Gelu {
    /// The slope at each value.
    type State = DispatchTensor;

    fn backward(self, ops: Ops<DispatchTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Dispatch>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<Dispatch>(parent.id, Dispatch::float_mul(gradient, ops.state));
        }
    }
}

/// Values and slopes.
fn on_host<const D: usize>(input: DispatchTensor) -> (DispatchTensor, DispatchTensor) {
    let input = up::<D>(input);
    let (device, shape) = (input.device(), input.dims());
    let data = input.into_data();
    let inputs = data.as_slice::<f32>().expect("float32, as the caller checked");
    let (mut values, mut slopes) = (vec![0.0; inputs.len()], vec![0.0; inputs.len()]);
    pulp::Arch::new().dispatch(|| {
        for ((&x, value), slope) in inputs.iter().zip(&mut values).zip(&mut slopes) {
            (*value, *slope) = value_and_slope(x);
        }
    });
    let tensor = |values| down(Inner::<D>::from_data(TensorData::new(values, shape), &device));
    (tensor(values), tensor(slopes))
}

/// `x Φ(x)` and `Φ(x) + x φ(x)`.
#[inline(always)]
fn value_and_slope(x: f32) -> (f32, f32) {
    const SQRT_2_PI: f32 = 2.506_628_3;
    let bell = exp_of_negative(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let polynomial = ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    let tail = 0.5 * polynomial * bell;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    (x * below, below + x * bell / SQRT_2_PI)
}

/// `e^x` for `x <= 0` in float32 precision: Cephes' polynomial, written so that the compiler makes it SIMD.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// Adding it leaves an integer in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let r = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let polynomial =
        ((((1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 1.666_666_5e-1) * r + 0.5;
    let scale = f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
    (polynomial * r * r + r + 1.0) * scale
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, to_host};

    use super::*;

    #[test]
    fn values_and_slopes_are_those_of_burn() {
        let inputs: Vec<f32> = (-1200..=1200).map(|i| i as f32 / 100.0).collect();
        let run = |gelu: fn(Tensor<1>) -> Tensor<1>| {
            let input = Tensor::<1>::from_floats(inputs.as_slice(), &cpu()).require_grad();
            let output = gelu(input.clone());
            let gradients = output.clone().mul_scalar(3.0).sum().backward();
            (to_host(output), to_host(Tensor::<1>::from_inner(input.grad(&gradients).expect("tracked"))))
        };
        let ((values, slopes), (expected, expected_slopes)) = (run(gelu), run(activation::gelu));
        for (ours, burns) in [(values, expected), (slopes, expected_slopes)] {
            for ((x, ours), burns) in inputs.iter().zip(ours).zip(burns) {
                assert!((ours - burns).abs() < 2e-6, "at {x}: {ours}, Burn's {burns}");
            }
        }
    }

    #[test]
    fn not_a_number_stays_one() {
        let (value, slope) = value_and_slope(f32::NAN);
        assert!(value.is_nan() && slope.is_nan());
        assert_eq!(value_and_slope(f32::INFINITY).0, f32::INFINITY);
    }
}
