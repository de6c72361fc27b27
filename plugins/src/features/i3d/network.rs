//! The network, with fixed weights.

use larp_traits::burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions, PadMode};
use larp_traits::burn::tensor::{DType, TensorData, activation, module};
use larp_traits::prelude::*;

/// Values a clip: the classes of Kinetics-400.
pub const CLASSES: usize = 400;
/// Fewer frames leave nothing for the last pooling.
pub const SHORTEST: usize = 9;
/// Height and width of the pictures.
const SIDE: usize = 224;
/// Of the batch normalisation.
const EPSILON: f32 = 1e-3;

/// A convolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name in `piergiaj/pytorch-i3d`.
    pub name: &'static str,
    /// Channels it takes.
    pub inputs: usize,
    /// Channels it gives.
    pub outputs: usize,
    /// Values along time, height and width each.
    pub kernel: usize,
    /// Distance of its places.
    pub stride: usize,
}

impl Unit {
    /// The last one has a bias and neither normalisation nor ReLU.
    pub fn is_head(&self) -> bool {
        self.name == "logits"
    }
}

/// A tensor of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TensorValues {
    /// `[outputs, inputs, kernel, kernel, kernel]`.
    Kernel,
    /// Of the normalisation, `[outputs]`.
    Scale,
    /// Of the normalisation, or the bias of the last unit, `[outputs]`.
    Offset,
    /// Of the normalisation, `[outputs]`.
    Mean,
    /// Of the normalisation, `[outputs]`.
    Variance,
}

/// Names of a block's units, its input channels, and the channels of `b0, b1a, b1b, b2a, b2b, b3b`.
type Block = ([&'static str; 6], usize, [usize; 6]);

macro_rules! block {
    ($name:literal, $inputs:literal, $channels:expr) => {
        (
            [
                concat!($name, ".b0"),
                concat!($name, ".b1a"),
                concat!($name, ".b1b"),
                concat!($name, ".b2a"),
                concat!($name, ".b2b"),
                concat!($name, ".b3b"),
            ],
            $inputs,
            $channels,
        )
    };
}

const BLOCKS: [Block; 9] = [
    block!("Mixed_3b", 192, [64, 96, 128, 16, 32, 32]),
    block!("Mixed_3c", 256, [128, 128, 192, 32, 96, 64]),
    block!("Mixed_4b", 480, [192, 96, 208, 16, 48, 64]),
    block!("Mixed_4c", 512, [160, 112, 224, 24, 64, 64]),
    block!("Mixed_4d", 512, [128, 128, 256, 24, 64, 64]),
    block!("Mixed_4e", 512, [112, 144, 288, 32, 64, 64]),
    block!("Mixed_4f", 528, [256, 160, 320, 32, 128, 128]),
    block!("Mixed_5b", 832, [256, 160, 320, 32, 128, 128]),
    block!("Mixed_5c", 832, [384, 192, 384, 48, 128, 128]),
];

/// The convolutions in order: three of the stem, six of each block, the head.
pub fn units() -> Vec<Unit> {
    let unit = |name, inputs, outputs, kernel, stride| Unit { name, inputs, outputs, kernel, stride };
    let mut units =
        vec![unit("Conv3d_1a_7x7", 3, 64, 7, 2), unit("Conv3d_2b_1x1", 64, 64, 1, 1), unit("Conv3d_2c_3x3", 64, 192, 3, 1)];
    for (names, inputs, [c0, c1a, c1b, c2a, c2b, c3b]) in BLOCKS {
        let [b0, b1a, b1b, b2a, b2b, b3b] = names;
        units.extend([
            unit(b0, inputs, c0, 1, 1),
            unit(b1a, inputs, c1a, 1, 1),
            unit(b1b, c1a, c1b, 3, 1),
            unit(b2a, inputs, c2a, 1, 1),
            unit(b2b, c2a, c2b, 3, 1),
            unit(b3b, inputs, c3b, 1, 1),
        ]);
    }
    units.push(unit("logits", 1024, CLASSES, 1, 1));
    units
}

/// A convolution with its normalisation folded in.
#[derive(Component, Debug)]
struct Conv {
    /// `[outputs, inputs, kernel, kernel, kernel]`.
    kernel: Fixed<5>,
    /// `[outputs]`.
    bias: Fixed<1>,
    size: usize,
    stride: usize,
    rectified: bool,
}

impl Conv {
    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let [_, _, frames, height, width] = x.dims();
        let pads = [frames, height, width].map(|length| same(length, self.size, self.stride));
        let x = padded(x, pads);
        let options = ConvOptions::new([self.stride; 3], [0; 3], [1; 3], 1);
        let y = module::conv3d(x, untracked(self.kernel.val()), Some(untracked(self.bias.val())), options);
        if self.rectified { activation::relu(y) } else { y }
    }
}

/// The network.
#[derive(Component, Debug)]
pub struct I3d {
    units: Vec<Conv>,
}

impl I3d {
    /// With the values that `get` gives for each tensor and its shape.
    ///
    /// # Errors
    /// Those of `get`.
    pub fn new<E>(get: impl Fn(&Unit, TensorValues, &[usize]) -> Result<Vec<f32>, E>, device: &Device) -> Result<Self, E> {
        let conv = |unit: Unit| {
            let Unit { inputs, outputs, kernel: size, stride, .. } = unit;
            let shape = [outputs, inputs, size, size, size];
            let mut kernel = get(&unit, TensorValues::Kernel, &shape)?;
            let mut bias = get(&unit, TensorValues::Offset, &[outputs])?;
            if !unit.is_head() {
                let [scale, mean, variance] = [TensorValues::Scale, TensorValues::Mean, TensorValues::Variance];
                let (scale, mean) = (get(&unit, scale, &[outputs])?, get(&unit, mean, &[outputs])?);
                let variance = get(&unit, variance, &[outputs])?;
                for (channel, weights) in kernel.chunks_mut(inputs * size.pow(3)).enumerate() {
                    let factor = scale[channel] / (variance[channel] + EPSILON).sqrt();
                    weights.iter_mut().for_each(|weight| *weight *= factor);
                    bias[channel] -= mean[channel] * factor;
                }
            }
            let rectified = !unit.is_head();
            Ok(Conv {
                kernel: Fixed::new(kernel, shape, device),
                bias: Fixed::new(bias, [outputs], device),
                size,
                stride,
                rectified,
            })
        };
        Ok(Self { units: units().into_iter().map(conv).collect::<Result<_, E>>()? })
    }
}

impl Features for I3d {
    fn features(&self, clips: Tensor<5>) -> Tensor<2> {
        let mut units = self.units.iter();
        let mut next = || units.next().expect("as many units as the network has");
        let mut x = resized(clips.cast(DType::F32)) * 2.0 - 1.0;
        x = pooled(next().forward(x), [1, 3, 3], [1, 2, 2]);
        x = next().forward(x);
        x = pooled(next().forward(x), [1, 3, 3], [1, 2, 2]);
        for block in 0..BLOCKS.len() {
            x = match block {
                2 => pooled(x, [3, 3, 3], [2, 2, 2]),
                7 => pooled(x, [2, 2, 2], [2, 2, 2]),
                _ => x,
            };
            let b0 = next().forward(x.clone());
            let b1 = next().forward(x.clone());
            let b1 = next().forward(b1);
            let b2 = next().forward(x.clone());
            let b2 = next().forward(b2);
            let b3 = next().forward(pooled(x, [3, 3, 3], [1, 1, 1]));
            x = Tensor::cat(vec![b0, b1, b2, b3], 1);
        }
        // the mean of all pairs of neighbours in time; 7 x 7 pixels are left
        let frames = x.dims()[2];
        let x = (x.clone().narrow(2, 0, frames - 1) + x.narrow(2, 1, frames - 1)) * 0.5;
        let logits = next().forward(x.mean_dims(&[3, 4]));
        logits.mean_dim(2).flatten::<2>(1, 4)
    }
}

/// Bilinear, pixel centres at halves.
fn resized(clips: Tensor<5>) -> Tensor<5> {
    let [batch, channels, frames, height, width] = clips.dims();
    if (height, width) == (SIDE, SIDE) {
        return clips;
    }
    let planes = clips.reshape([batch * channels, frames, height, width]);
    let options = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false);
    module::interpolate(planes, [SIDE, SIDE], options).reshape([batch, channels, frames, SIDE, SIDE])
}

/// How much TensorFlow's "SAME" puts before and after: every `stride`-th place, the end included.
fn same(length: usize, size: usize, stride: usize) -> (usize, usize) {
    let last = if length.is_multiple_of(stride) { stride } else { length % stride };
    let pad = size.saturating_sub(last);
    (pad / 2, pad - pad / 2)
}

fn padded(x: Tensor<5>, [time, height, width]: [(usize, usize); 3]) -> Tensor<5> {
    if [time, height, width].iter().all(|pad| *pad == (0, 0)) {
        return x;
    }
    x.pad([(0, 0), (0, 0), time, height, width], PadMode::Constant(0.0))
}

/// The largest values of windows with "SAME" padding. Zeros as padding change nothing: what is pooled is never negative.
fn pooled(x: Tensor<5>, size: [usize; 3], stride: [usize; 3]) -> Tensor<5> {
    let [_, _, frames, height, width] = x.dims();
    let lengths = [frames, height, width];
    let x = padded(x, [0, 1, 2].map(|axis| same(lengths[axis], size[axis], stride[axis])));
    let [batch, channels, frames, height, width] = x.dims();
    // along time first: the largest of the frames of each window
    let windows = (frames - size[0]) / stride[0] + 1;
    let device = x.device();
    let frame = |offset: usize| {
        let places: Vec<i32> = (0..windows).map(|window| (window * stride[0] + offset) as i32).collect();
        x.clone().select(2, Tensor::<1, Int>::from_data(TensorData::new(places, [windows]), &device))
    };
    let x = (1..size[0]).fold(frame(0), |largest, offset| largest.max_pair(frame(offset)));
    let planes = x.reshape([batch * channels, windows, height, width]);
    let planes = module::max_pool2d(planes, [size[1], size[2]], [stride[1], stride[2]], [0, 0], [1, 1], false);
    let [_, _, height, width] = planes.dims();
    planes.reshape([batch, channels, windows, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_tensorflow() {
        // (length, kernel, stride) -> before, after
        let cases = [
            ((224, 7, 2), (2, 3)),
            ((9, 7, 2), (3, 3)),
            ((112, 3, 2), (0, 1)),
            ((56, 3, 1), (1, 1)),
            ((5, 2, 2), (0, 1)),
            ((4, 2, 2), (0, 0)),
        ];
        for ((length, size, stride), expected) in cases {
            assert_eq!(same(length, size, stride), expected, "{length} {size} {stride}");
        }
    }

    #[test]
    fn blocks_give_what_the_next_ones_take() {
        let outputs = |(_, _, [b0, _, b1, _, b2, b3]): Block| b0 + b1 + b2 + b3;
        for pair in BLOCKS.windows(2) {
            assert_eq!(outputs(pair[0]), pair[1].1, "{}", pair[1].0[0]);
        }
        assert_eq!(outputs(BLOCKS[8]), 1024);
        assert_eq!(units().len(), 3 + 6 * 9 + 1);
    }
}
