//! Clips on the host to tensors and back.

use larp_traits::tensor::to_host;
use larp_traits::{Device, Tensor, burn::tensor::TensorData};

use crate::clip::{Clip, ClipShape};

/// Clips as a batch.
///
/// # Shapes
/// - output: `[batch, 3, frames, height, width]`, in [0, 1]
///
/// # Panics
/// When there is no clip, or they are of different shapes.
pub fn to_tensor<'a>(clips: impl IntoIterator<Item = &'a Clip>, device: &Device) -> Tensor<5> {
    let mut values = Vec::new();
    let (mut shape, mut count) = (None, 0);
    for clip in clips {
        assert_eq!(*shape.get_or_insert(clip.shape), clip.shape, "clips of one shape");
        for channel in 0..3 {
            values.extend(clip.pixels.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte) / 255.0));
        }
        count += 1;
    }
    let ClipShape { frames, height, width } = shape.expect("at least one clip");
    Tensor::<5>::from_data(TensorData::new(values, [count, 3, frames, height, width]), device)
}

/// A batch as clips, clamped to [0, 1].
///
/// # Shapes
/// - video: `[batch, 3, frames, height, width]`
pub fn to_clips(video: Tensor<5>) -> Vec<Clip> {
    let [_, _, frames, height, width] = video.dims();
    let shape = ClipShape { frames, height, width };
    let values = to_host(video.permute([0, 2, 3, 4, 1]));
    let byte = |value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    values.chunks(shape.bytes()).map(|clip| Clip::new(shape, clip.iter().map(byte).collect())).collect()
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::*;

    #[test]
    fn clips_survive_the_way_to_the_device_and_back() {
        let shape = ClipShape { frames: 2, height: 3, width: 4 };
        let clips: Vec<_> = [0, 100].map(|offset| Clip::new(shape, (0..72).map(|i| i + offset).collect())).into();
        assert_eq!(to_clips(to_tensor(&clips, &cpu())), clips);
    }
}
