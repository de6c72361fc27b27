//! Products of float32 matrices that are float32 on every device.
//!
//! Burn's CUDA backend takes tensor cores for them, which round the factors to the 10 bits of mantissa of TF32, and has no setting
//! against it. Here such a product has a kernel without tensor cores there, and a backward of its own that uses it too.

use burn::tensor::{DType, TensorPrimitive};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_dispatch::Dispatch;

use super::Precision;
use crate::primitive::{Inner, down, up};
use crate::tensor::{Device, Tensor};

/// What a product of float32 matrices takes of its factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factors {
    /// All 24 bits of mantissa.
    Float32,
    /// 11 bits on a device whose matrix units take no more, all of them on the others.
    Tf32,
}

impl Factors {
    /// Those of the forward pass that is under way on this thread.
    pub fn of_pass() -> Self {
        if Precision::current() == Precision::Tf32 { Self::Tf32 } else { Self::Float32 }
    }

    /// Whether a device has a kernel of its own for these, beside Burn's.
    pub fn need_own_kernel(self, device: &Device) -> bool {
        self == Self::Float32 && rounds(device)
    }
}

/// Whether Burn's products of float32 matrices are TF32 on a device.
pub(super) fn rounds(device: &Device) -> bool {
    #[cfg(feature = "cuda")]
    if matches!(device, Device::Cuda(_)) {
        return true;
    }
    let _ = device;
    false
}

/// Product of matrices, float32 on every device unless the precision of the pass is [`Precision::Tf32`].
///
/// # Shapes
/// - lhs: `[.., rows, inner]`
/// - rhs: `[.., inner, columns]`; a dimension before the last two that is 1 in one of them is repeated
/// - output: `[.., rows, columns]`
#[expect(clippy::disallowed_methods, reason = "only where Burn's takes the factors of the pass")]
pub fn matmul<const D: usize>(lhs: Tensor<D>, rhs: Tensor<D>) -> Tensor<D> {
    if lhs.dtype() == DType::F32 && Factors::of_pass().need_own_kernel(&lhs.device()) {
        tracked(lhs, rhs)
    } else {
        lhs.matmul(rhs)
    }
}

/// [`matmul`] below autodiff.
///
/// # Shapes
/// As [`matmul`].
#[expect(clippy::disallowed_methods, reason = "only where Burn's takes the factors asked for")]
pub fn product<const D: usize>(lhs: Inner<D>, rhs: Inner<D>, factors: Factors) -> Inner<D> {
    #[cfg(feature = "cuda")]
    if factors == Factors::Float32
        && let Some(product) = super::cuda::product(&lhs, &rhs)
    {
        return product;
    }
    let _ = factors;
    lhs.matmul(rhs)
}

/// The product as one operation for autodiff, whose backward takes the same products.
fn tracked<const D: usize>(lhs: Tensor<D>, rhs: Tensor<D>) -> Tensor<D> {
    let [lhs, rhs] = [lhs, rhs].map(|tensor| tensor.into_primitive().tensor());
    let nodes = [lhs.node, rhs.node];
    let [lhs, rhs] = [lhs.primitive, rhs.primitive].map(up::<D>);
    let output = down(product(lhs.clone(), rhs.clone(), Factors::Float32));
    let output = match Product::<D>.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish([lhs, rhs], output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}

#[derive(Debug)]
struct Product<const D: usize>;

impl<const D: usize> Backward<Dispatch, 2> for Product<D> {
    type State = [Inner<D>; 2];

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = up::<D>(grads.consume::<Dispatch>(&ops.node));
        let [lhs, rhs] = ops.state;
        let [lhs_parent, rhs_parent] = ops.parents;
        if let Some(parent) = lhs_parent {
            let of_lhs = product(gradient.clone(), rhs.clone().transpose(), Factors::Float32);
            grads.register::<Dispatch>(parent.id, down(summed_to(of_lhs, lhs.dims())));
        }
        if let Some(parent) = rhs_parent {
            let of_rhs = product(lhs.transpose(), gradient, Factors::Float32);
            grads.register::<Dispatch>(parent.id, down(summed_to(of_rhs, rhs.dims())));
        }
    }
}

/// Sums over the dimensions that were repeated.
fn summed_to<const D: usize>(gradient: Inner<D>, shape: [usize; D]) -> Inner<D> {
    (0..D).fold(gradient, |sum, dim| if sum.dims()[dim] == shape[dim] { sum } else { sum.sum_dim(dim) })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "compared with Burn's on the CPU")]
mod tests {
    use super::*;
    use crate::Stream;
    use crate::conformance::devices;
    use crate::tensor::{cpu, scalar, to_host};
    use rstest::rstest;

    type Multiply<const D: usize> = fn(Tensor<D>, Tensor<D>) -> Tensor<D>;

    /// Output and the two gradients of a sum of squares.
    fn run<const D: usize>(multiply: Multiply<D>, shapes: [[usize; D]; 2], device: &Device) -> [Vec<f32>; 3] {
        // drawn on the host, so that every device has the same ones
        let [lhs, rhs] = [(shapes[0], 1), (shapes[1], 2)].map(|(shape, seed)| {
            let drawn: Tensor<D> = Stream::new(seed).normal(shape, &cpu());
            Tensor::<D>::from_data(drawn.into_data(), device).require_grad()
        });
        let output = multiply(lhs.clone(), rhs.clone());
        let gradients = output.clone().square().sum().backward();
        let of = |tensor: &Tensor<D>| to_host(Tensor::<D>::from_inner(tensor.grad(&gradients).expect("tracked")));
        [to_host(output), of(&lhs), of(&rhs)]
    }

    fn assert_close([found, expected]: [&[f32]; 2], tolerance: f64) {
        let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let difference = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
        let size = norm(&mut expected.iter().copied());
        assert_eq!(found.len(), expected.len());
        assert!(difference <= tolerance * size, "{difference:e} of {size:e}");
    }

    fn assert_equal_burns_on_the_cpu<const D: usize>(found: Multiply<D>, burns: Multiply<D>, shapes: [[usize; D]; 2]) {
        let expected = run(burns, shapes, &cpu());
        for device in devices() {
            for (found, expected) in run(found, shapes, &device).iter().zip(&expected) {
                assert_close([found, expected], 2e-6);
            }
        }
    }

    #[rstest]
    #[case::matrices([[5, 7], [7, 3]])]
    #[case::a_row([[1, 130], [130, 65]])]
    #[case::a_column([[65, 130], [130, 1]])]
    #[case::outer([[33, 1], [1, 70]])]
    #[case::large([[200, 300], [300, 150]])]
    fn the_own_operation_equals_burns_on_the_cpu(#[case] shapes: [[usize; 2]; 2]) {
        assert_equal_burns_on_the_cpu(tracked, |lhs, rhs| lhs.matmul(rhs), shapes);
    }

    #[rstest]
    #[case::batches([[2, 3, 40, 17], [2, 3, 17, 50]])]
    #[case::repeated_right([[4, 2, 9, 8], [1, 1, 8, 33]])]
    #[case::repeated_left([[1, 2, 9, 8], [4, 2, 8, 33]])]
    fn so_it_does_for_batches(#[case] shapes: [[usize; 4]; 2]) {
        assert_equal_burns_on_the_cpu(tracked, |lhs, rhs| lhs.matmul(rhs), shapes);
    }

    #[test]
    fn views_are_multiplied_as_what_they_show() {
        let swapped: Multiply<4> = |lhs, rhs| tracked(lhs.swap_dims(1, 2), rhs.swap_dims(1, 3));
        let burns: Multiply<4> = |lhs, rhs| lhs.swap_dims(1, 2).matmul(rhs.swap_dims(1, 3));
        assert_equal_burns_on_the_cpu(swapped, burns, [[2, 40, 3, 16], [2, 48, 16, 3]]);
    }

    #[test]
    fn a_factor_without_a_gradient_gets_none() {
        let lhs: Tensor<2> = Stream::new(1).normal([2, 3], &cpu());
        let rhs = Stream::new(2).normal([3, 2], &cpu()).require_grad();
        let gradients = tracked(lhs.clone(), rhs.clone()).sum().backward();
        assert!(lhs.grad(&gradients).is_none());
        let total = scalar(Tensor::from_inner(rhs.grad(&gradients).expect("tracked").sum()));
        assert!((total - 2.0 * scalar(lhs.sum())).abs() < 1e-5, "{total}");
    }
}
