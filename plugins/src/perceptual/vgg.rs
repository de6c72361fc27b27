//! VGG-16 (Simonyan and Zisserman, 2015, configuration D) up to `relu5_3`, with fixed weights.

use larp_traits::burn::tensor::ops::ConvOptions;
use larp_traits::burn::tensor::{DType, module};
use larp_traits::tensor::untracked;
use larp_traits::{Component, Device, Fixed, Tensor};

/// Input and output channels of the convolutions of each block; a max-pooling stands between the blocks.
const BLOCKS: [&[[usize; 2]]; 5] = [
    &[[3, 64], [64, 64]],
    &[[64, 128], [128, 128]],
    &[[128, 256], [256, 256], [256, 256]],
    &[[256, 512], [512, 512], [512, 512]],
    &[[512, 512], [512, 512], [512, 512]],
];

/// Channels of the features of each block.
pub const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

/// The smallest height and width: four poolings leave one value.
pub const SMALLEST: usize = 16;

/// A convolution of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvShape {
    /// Its name in torchvision: `features.0`.
    pub name: String,
    /// Channels it takes.
    pub inputs: usize,
    /// Channels it gives.
    pub outputs: usize,
}

/// The convolutions in order.
pub fn convolutions() -> Vec<ConvShape> {
    let mut found = Vec::new();
    // in torchvision's sequence a convolution and its ReLU count, and so does the pooling after a block
    let mut index = 0;
    for block in BLOCKS {
        for [inputs, outputs] in block {
            found.push(ConvShape { name: format!("features.{index}"), inputs: *inputs, outputs: *outputs });
            index += 2;
        }
        index += 1;
    }
    found
}

#[derive(Component, Debug)]
struct Conv {
    /// `[outputs, inputs, 3, 3]`.
    weight: Fixed<4>,
    /// `[outputs]`.
    bias: Fixed<1>,
}

/// The value of a constant in a dtype. A new leaf at each use: threads of a training step share the constant, but no graph.
pub(super) fn constant<const D: usize>(fixed: &Fixed<D>, dtype: DType) -> Tensor<D> {
    let value = untracked(fixed.val());
    if value.dtype() == dtype { value } else { value.cast(dtype) }
}

impl Conv {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (weight, bias) = (constant(&self.weight, x.dtype()), constant(&self.bias, x.dtype()));
        module::conv2d(x, weight, Some(bias), ConvOptions::new([1, 1], [1, 1], [1, 1], 1))
    }
}

/// The network.
#[derive(Component, Debug)]
pub struct Vgg16 {
    convs: Vec<Conv>,
}

impl Vgg16 {
    /// With the `weight` (`[outputs, inputs, 3, 3]`) and `bias` that `values` gives for each tensor's name and shape.
    ///
    /// # Errors
    /// Those of `values`.
    pub fn new<E>(mut values: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>, device: &Device) -> Result<Self, E> {
        let conv = |ConvShape { name, inputs, outputs }| {
            let shape = [outputs, inputs, 3, 3];
            let weight = Fixed::new(values(&format!("{name}.weight"), &shape)?, shape, device);
            let bias = Fixed::new(values(&format!("{name}.bias"), &[outputs])?, [outputs], device);
            Ok(Conv { weight, bias })
        };
        Ok(Self { convs: convolutions().into_iter().map(conv).collect::<Result<_, E>>()? })
    }

    /// What the last ReLU of each block gives: `relu1_2`, `relu2_2`, `relu3_3`, `relu4_3`, `relu5_3`.
    ///
    /// # Shapes
    /// - images: `[batch, 3, height, width]`, normalised
    /// - output k: `[batch, CHANNELS[k], height / 2^k, width / 2^k]`, rounded down
    pub fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let (mut x, mut convs) = (images, self.convs.iter());
        let mut features = Vec::with_capacity(BLOCKS.len());
        for (index, block) in BLOCKS.iter().enumerate() {
            if index > 0 {
                x = module::max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], false);
            }
            for conv in convs.by_ref().take(block.len()) {
                x = larp_traits::burn::tensor::activation::relu(conv.forward(x));
            }
            features.push(x.clone());
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_torchvision() {
        let names: Vec<_> = convolutions().into_iter().map(|conv| conv.name).collect();
        let expected = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28].map(|index| format!("features.{index}"));
        assert_eq!(names, expected);
    }
}
