//! One draw a row of probabilities.

use larp_traits::tensor::to_host;
use larp_traits::{Draw, Int, Tensor};
use rand::RngExt as _;

/// Draws an index a row: one uniform number on the host and a cumulative sum; the most likely index when the draw is
/// deterministic.
///
/// # Shapes
/// - probabilities: `[rows, vocab]`, each row summing to 1
/// - output: `[rows]`
pub fn sample_rows(probabilities: Tensor<2>, draw: Draw) -> Tensor<1, Int> {
    let Draw::Stream(stream) = draw else {
        return probabilities.argmax(1).squeeze_dim(1);
    };
    let device = probabilities.device();
    let [rows, vocab] = probabilities.dims();
    let probabilities = to_host(probabilities);
    let mut rng = stream.rng();
    let chosen: Vec<i32> = probabilities.chunks(vocab.max(1)).map(|row| pick(row, rng.random::<f32>()) as i32).collect();
    Tensor::<1, Int>::from_data(burn::tensor::TensorData::new(chosen, [rows]), &device)
}

/// The index at which the cumulative sum passes `uniform`; the last possible one when rounding keeps it from doing so.
fn pick(row: &[f32], uniform: f32) -> usize {
    let mut rest = f64::from(uniform);
    let mut last = 0;
    for (index, &probability) in row.iter().enumerate() {
        if probability > 0.0 {
            last = index;
            rest -= f64::from(probability);
            if rest < 0.0 {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use larp_traits::Stream;
    use larp_traits::tensor::{cpu, ints_to_host};

    use super::*;

    #[test]
    fn frequencies_follow_the_probabilities() {
        let rows = Tensor::<2>::from_floats([[0.5, 0.0, 0.3, 0.2]], &cpu()).repeat_dim(0, 20_000);
        let drawn = ints_to_host(sample_rows(rows, Draw::Stream(Stream::new(5))));
        for (index, expected) in [0.5, 0.0, 0.3, 0.2].into_iter().enumerate() {
            let found = drawn.iter().filter(|&&i| i == index as i64).count() as f64 / 2e4;
            assert!((found - expected).abs() < 0.015, "{index}: {found}");
        }
    }

    #[test]
    fn an_impossible_index_is_never_drawn() {
        assert_eq!(pick(&[0.0, 1.0, 0.0], 0.0), 1);
        assert_eq!(pick(&[0.0, 0.999, 0.0], 0.9999), 1);
    }

    #[test]
    fn a_deterministic_draw_is_the_argmax() {
        let rows = Tensor::<2>::from_floats([[0.1, 0.7, 0.2]], &cpu());
        assert_eq!(ints_to_host(sample_rows(rows, Draw::Deterministic)), [1]);
    }
}
