//! `patchwise`: a ViT in which a token is a patch, in raster order (paper, figure 2a): what LARP is compared with.

use larp_traits::prelude::*;

use crate::layers::codes::{PatchCodes, PatchPositions};
use crate::layers::patchify::{Patch, PatchGrid};
use crate::layers::pixels::{PatchEmbed, PatchEmbedConfig};
use crate::layers::vit::{Vit, VitConfig};

/// Settings of [`PatchwiseEncoder`]; the defaults have the size of LARP-L.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchwiseEncoderSettings {
    /// Width of the transformer.
    pub dim: usize,
    /// Number of its blocks.
    pub depth: usize,
    /// Number of its heads.
    pub heads: usize,
    /// Size of a patch; the patches of a clip are its tokens.
    pub patch: Patch,
    /// How pixels enter.
    pub patch_embedding: PatchEmbedConfig,
    /// Position codes of the patches.
    pub positions: PatchPositions,
}

impl Default for PatchwiseEncoderSettings {
    fn default() -> Self {
        Self {
            dim: 768,
            depth: 12,
            heads: 12,
            patch: Patch::default(),
            patch_embedding: PatchEmbedConfig::default(),
            positions: PatchPositions::default(),
        }
    }
}

register!(
    Encoder,
    "patchwise",
    PatchwiseEncoderSettings,
    "a ViT in which a token is a patch, in raster order",
    "LARP, figure 2a; Dosovitskiy et al., 2020"
);

#[typetag::serde(name = "patchwise")]
impl EncoderSettings for PatchwiseEncoderSettings {
    fn latents(&self, video: &VideoShape) -> Result<LatentShape, SettingsError> {
        self.vit().check("encoder")?;
        self.patch_embedding.check()?;
        Ok(LatentShape { tokens: PatchGrid::new("encoder", video, self.patch)?.count(), dim: self.dim })
    }

    fn build(&self, context: &BuildContext) -> Result<DynEncoder, SettingsError> {
        let latents = self.latents(&context.video)?;
        let (grid, device) = (PatchGrid::new("encoder", &context.video, self.patch)?, &context.device);
        let encoder = PatchwiseEncoder {
            embed: PatchEmbed::new(grid, self.dim, self.patch_embedding, device),
            positions: PatchCodes::new(self.positions, grid.cells(), self.dim, device),
            transformer: self.vit().init(device),
            latents,
        };
        Ok(encoder.into())
    }
}

impl PatchwiseEncoderSettings {
    fn vit(&self) -> VitConfig {
        VitConfig { dim: self.dim, depth: self.depth, heads: self.heads }
    }
}

/// The encoder.
#[derive(Component, Debug)]
pub struct PatchwiseEncoder {
    /// Patches to tokens.
    pub embed: PatchEmbed,
    /// Codes of the patches.
    pub positions: PatchCodes,
    /// The transformer.
    pub transformer: Vit,
    #[component(skip)]
    latents: LatentShape,
}

impl Encoder for PatchwiseEncoder {
    fn encode(&self, video: Tensor<5>) -> Tensor<3> {
        self.transformer.forward(self.embed.forward(video) + self.positions.val())
    }

    fn latents(&self) -> LatentShape {
        self.latents
    }
}
