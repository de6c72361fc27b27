//! Some frames of clips, for losses that need not see all of them.

use larp_traits::burn::tensor::TensorData;
use larp_traits::{Draw, Int, Tensor};

/// The same `count` frames of all clips, in order, drawn without replacement; the first ones when the draw is deterministic, and all
/// when `count` is 0 or no less than there are.
///
/// # Shapes
/// - clips: `[batch, channels, frames, height, width]`
pub(super) fn drawn_frames<const N: usize>(clips: [Tensor<5>; N], count: usize, draw: Draw) -> [Tensor<5>; N] {
    let Some([_, _, frames, _, _]) = clips.first().map(|clip| clip.dims()) else { return clips };
    if count == 0 || count >= frames {
        return clips;
    }
    let mut chosen: Vec<usize> = match draw {
        Draw::Deterministic => (0..count).collect(),
        Draw::Stream(stream) => rand::seq::index::sample(&mut stream.rng(), frames, count).into_vec(),
    };
    chosen.sort_unstable();
    let chosen: Vec<i64> = chosen.into_iter().map(|index| index as i64).collect();
    clips.map(|clip| {
        let indices = Tensor::<1, Int>::from_data(TensorData::new(chosen.clone(), [count]), &clip.device());
        clip.select(2, indices)
    })
}

#[cfg(test)]
mod tests {
    use larp_traits::Stream;
    use larp_traits::tensor::{cpu, to_host};

    use super::*;

    /// The numbers of the frames that are left of six.
    fn left(count: usize, draw: Draw) -> Vec<f32> {
        let clip = Tensor::<1, Int>::arange(0..6, &cpu()).float().reshape([1, 1, 6, 1, 1]);
        let [a, b] = drawn_frames([clip.clone(), clip], count, draw);
        let numbers = to_host(a);
        assert_eq!(numbers, to_host(b), "the same frames of both");
        numbers
    }

    #[test]
    fn so_many_frames_are_drawn_anew_from_each_stream() {
        let of = |seed| left(2, Draw::Stream(Stream::new(seed)));
        let drawn: Vec<_> = (0..20).map(of).collect();
        assert!(drawn.iter().all(|frames| frames.len() == 2 && frames[0] < frames[1]), "{drawn:?}");
        assert!(drawn.iter().any(|frames| *frames != drawn[0]), "{drawn:?}");
        assert_eq!(of(3), of(3));
    }

    #[test]
    fn none_and_too_many_are_all() {
        for count in [0, 6, 9] {
            assert_eq!(left(count, Draw::Stream(Stream::new(1))).len(), 6);
        }
        assert_eq!(left(2, Draw::Deterministic), [0.0, 1.0]);
    }
}
