//! `patchwise`: a ViT from one token a patch back to that patch (paper, figure 2a).

use larp_traits::prelude::*;

use crate::layers::codes::{PatchCodes, PatchPositions};
use crate::layers::patchify::{Patch, PatchGrid};
use crate::layers::pixels::PixelHead;
use crate::layers::vit::{Vit, VitConfig};

/// Settings of [`PatchwiseDecoder`]; the defaults have the size of LARP-L.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchwiseDecoderSettings {
    /// Width of the transformer.
    pub dim: usize,
    /// Number of its blocks.
    pub depth: usize,
    /// Number of its heads.
    pub heads: usize,
    /// Size of a patch; there must be as many as tokens.
    pub patch: Patch,
    /// Position codes of the patches.
    pub positions: PatchPositions,
}

impl Default for PatchwiseDecoderSettings {
    fn default() -> Self {
        Self { dim: 768, depth: 12, heads: 12, patch: Patch::default(), positions: PatchPositions::default() }
    }
}

register!(
    Decoder,
    "patchwise",
    PatchwiseDecoderSettings,
    "a ViT from one token a patch back to that patch",
    "LARP, figure 2a; Dosovitskiy et al., 2020"
);

#[typetag::serde(name = "patchwise")]
impl DecoderSettings for PatchwiseDecoderSettings {
    fn latents(&self, video: &VideoShape, tokens: usize) -> Result<LatentShape, SettingsError> {
        self.vit().check("decoder")?;
        let patches = PatchGrid::new("decoder", video, self.patch)?.count();
        if patches != tokens {
            return Err(SettingsError::mismatch(
                format!("the encoder, which gives {tokens} tokens a clip,"),
                format!("the decoder `patchwise`, which draws {patches} patches from one token each"),
                "give both as many, by `encoder.tokens` or `decoder.patch`",
            ));
        }
        Ok(LatentShape { tokens, dim: self.dim })
    }

    fn build(&self, context: &BuildContext) -> Result<DynDecoder, SettingsError> {
        self.latents(&context.video, context.latents.tokens)?;
        let (grid, device) = (PatchGrid::new("decoder", &context.video, self.patch)?, &context.device);
        let decoder = PatchwiseDecoder {
            positions: PatchCodes::new(self.positions, grid.cells(), self.dim, device),
            transformer: self.vit().init(device),
            head: PixelHead::new(grid, self.dim, device),
        };
        Ok(decoder.into())
    }
}

impl PatchwiseDecoderSettings {
    fn vit(&self) -> VitConfig {
        VitConfig { dim: self.dim, depth: self.depth, heads: self.heads }
    }
}

/// The decoder.
#[derive(Component, Debug)]
pub struct PatchwiseDecoder {
    /// Codes of the patches.
    pub positions: PatchCodes,
    /// The transformer.
    pub transformer: Vit,
    /// To pixels.
    pub head: PixelHead,
}

impl Decoder for PatchwiseDecoder {
    fn decode(&self, embeddings: Tensor<3>) -> Tensor<5> {
        self.head.forward(self.transformer.forward(embeddings + self.positions.val()))
    }

    fn last_layer(&self) -> Option<&'static str> {
        Some("head.linear.weight")
    }
}
