//! Dropout with a stateless mask.

use larp_traits::{Draw, Tensor};

/// Zeroes each value with `probability` and scales the others by `1 / (1 - probability)`; the identity when the draw is
/// deterministic.
pub fn dropout<const D: usize>(tensor: Tensor<D>, probability: f64, draw: Draw) -> Tensor<D> {
    match draw {
        Draw::Stream(stream) if probability > 0.0 => {
            let kept = stream.uniform(tensor.dims(), &tensor.device()).greater_equal_elem(probability);
            tensor * kept.float().mul_scalar(1.0 / (1.0 - probability))
        }
        _ => tensor,
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::Stream;
    use larp_traits::tensor::{cpu, to_host};

    use super::*;

    #[test]
    fn dropout_keeps_the_mean_and_drops_its_share() {
        let values = to_host(dropout(Tensor::<1>::ones([10_000], &cpu()), 0.25, Draw::Stream(Stream::new(1))));
        let dropped = values.iter().filter(|&&v| v == 0.0).count() as f64 / 1e4;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e4;
        assert!((dropped - 0.25).abs() < 0.02 && (mean - 1.0).abs() < 0.02, "{dropped} {mean}");
    }

    #[test]
    fn a_deterministic_draw_drops_nothing() {
        let ones = Tensor::<1>::ones([8], &cpu());
        assert_eq!(to_host(dropout(ones, 0.5, Draw::Deterministic)), [1.0; 8]);
    }
}
