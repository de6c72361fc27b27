//! The released discriminator.

use larp_traits::{BuildContext, Device, LatentShape, QuantizerShape, VideoShape};
use serde::{Deserialize, Serialize};

use super::keys::{Codes, KeyMap, Row, fixed, row};
use super::layout::Layout::{Kernel, Linear, Ones, Same};
use crate::critic::vit::VitCriticSettings;
use crate::layers::patchify::Patch;
use crate::layers::positions::sin_cos_3d;

/// Arguments of the discriminator, named as there; the released code has no defaults for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names")]
pub struct DiscriminatorArguments {
    pub hidden_size: usize,
    pub n_heads: usize,
    pub n_layers: usize,
    pub input_size: usize,
    pub frame_num: usize,
    pub temporal_patch_size: usize,
    pub patch_size: usize,
    #[serde(default = "rgb")]
    pub in_channels: usize,
}

fn rgb() -> usize {
    3
}

type A = DiscriminatorArguments;

/// Their name, our path within the critic, the change of layout.
#[rustfmt::skip]
const TABLE: &[Row<A>] = &[
    row("x_embedder.proj.weight", "net.embed.proj.weight", Kernel),
    row("x_embedder.proj.bias", "net.embed.proj.bias", Same),
    row("cls_token", "net.class", Ones(&[0, 1])),
    fixed("encoder_pos_embed", patches),
    row("transformer_encoder.blocks.{}.norm1.weight", "net.transformer.blocks.{}.norm1.gamma", Same),
    row("transformer_encoder.blocks.{}.norm1.bias", "net.transformer.blocks.{}.norm1.beta", Same),
    row("transformer_encoder.blocks.{}.attn.qkv.weight", "net.transformer.blocks.{}.qkv.weight", Linear),
    row("transformer_encoder.blocks.{}.attn.proj.weight", "net.transformer.blocks.{}.proj.weight", Linear),
    row("transformer_encoder.blocks.{}.attn.proj.bias", "net.transformer.blocks.{}.proj.bias", Same),
    row("transformer_encoder.blocks.{}.norm2.weight", "net.transformer.blocks.{}.norm2.gamma", Same),
    row("transformer_encoder.blocks.{}.norm2.bias", "net.transformer.blocks.{}.norm2.beta", Same),
    row("transformer_encoder.blocks.{}.mlp.fc1.weight", "net.transformer.blocks.{}.fc1.weight", Linear),
    row("transformer_encoder.blocks.{}.mlp.fc1.bias", "net.transformer.blocks.{}.fc1.bias", Same),
    row("transformer_encoder.blocks.{}.mlp.fc2.weight", "net.transformer.blocks.{}.fc2.weight", Linear),
    row("transformer_encoder.blocks.{}.mlp.fc2.bias", "net.transformer.blocks.{}.fc2.bias", Same),
    row("norm_final.weight", "net.norm.gamma", Same),
    row("norm_final.bias", "net.norm.beta", Same),
    row("fc.weight", "net.head.weight", Linear),
    row("fc.bias", "net.head.bias", Same),
];

/// The names of a discriminator of these arguments.
pub fn keys(arguments: &DiscriminatorArguments) -> KeyMap {
    let Patch { frames, size } = arguments.patch();
    KeyMap::new(TABLE, arguments, vec![arguments.in_channels, frames, size, size])
}

fn patches(arguments: &A) -> Codes {
    let side = arguments.input_size.checked_div(arguments.patch_size).unwrap_or(0);
    let cells = [arguments.frame_num.checked_div(arguments.temporal_patch_size).unwrap_or(0), side, side];
    let values = sin_cos_3d(arguments.hidden_size, cells);
    Codes { shape: vec![1, cells.iter().product(), arguments.hidden_size], values }
}

impl DiscriminatorArguments {
    fn patch(&self) -> Patch {
        Patch { frames: self.temporal_patch_size, size: self.patch_size }
    }

    /// The settings that it becomes.
    pub fn settings(&self) -> VitCriticSettings {
        let (dim, depth, heads, patch) = (self.hidden_size, self.n_layers, self.n_heads, self.patch());
        VitCriticSettings { dim, depth, heads, patch, ..VitCriticSettings::default() }
    }

    /// What it is built for; a critic looks at the clips alone.
    pub fn context(&self, device: &Device) -> BuildContext {
        let (channels, frames, height, width) = (self.in_channels, self.frame_num, self.input_size, self.input_size);
        BuildContext {
            video: VideoShape { channels, frames, height, width },
            latents: LatentShape { tokens: 0, dim: 0 },
            quantizer: QuantizerShape { vocab_size: 0, code_dim: 0, codebook: false },
            classes: 0,
            device: device.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::*;
    use crate::critic::vit::VitCritic;

    #[test]
    fn every_parameter_has_its_released_name() {
        let arguments: DiscriminatorArguments = serde_json::from_str(
            r#"{"hidden_size": 8, "n_heads": 2, "n_layers": 1, "input_size": 16, "frame_num": 4, "temporal_patch_size": 4, "patch_size": 8}"#,
        )
        .unwrap();
        let critic = VitCritic::new(&arguments.settings(), &arguments.context(&cpu())).unwrap();
        let keys = keys(&arguments);
        for param in larp_traits::params::list(&critic) {
            let values = vec![0.0; param.count()];
            keys.to_released(super::super::NamedTensor { name: param.path, shape: param.shape, values }).unwrap();
        }
    }
}
