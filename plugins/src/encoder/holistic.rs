//! `holistic`: learned queries gather the clip in one sequence with its patches (paper, section 3.2, equation 4).

use larp_traits::deviation;
use larp_traits::prelude::*;

use crate::layers::codes::{CODE_STD, PatchCodes, PatchPositions};
use crate::layers::patchify::{Patch, PatchGrid};
use crate::layers::pixels::{PatchEmbed, PatchEmbedConfig};
use crate::layers::vit::{Vit, VitConfig};

/// Settings of [`HolisticEncoder`]; the defaults are LARP-L.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HolisticEncoderSettings {
    /// Number of queries, so of tokens a clip.
    pub tokens: usize,
    /// Width of the transformer.
    pub dim: usize,
    /// Number of its blocks.
    pub depth: usize,
    /// Number of its heads.
    pub heads: usize,
    /// Size of a patch.
    pub patch: Patch,
    /// How pixels enter.
    pub patch_embedding: PatchEmbedConfig,
    /// Position codes of the patches.
    pub positions: PatchPositions,
    /// Standard deviation of the queries at the start: `query_init_std` of the released code.
    pub query_std: f64,
}

impl Default for HolisticEncoderSettings {
    fn default() -> Self {
        Self {
            tokens: 1024,
            dim: 768,
            depth: 12,
            heads: 12,
            patch: Patch::default(),
            patch_embedding: PatchEmbedConfig::default(),
            positions: PatchPositions::default(),
            query_std: CODE_STD,
        }
    }
}

register!(
    Encoder,
    "holistic",
    HolisticEncoderSettings,
    "learned queries gather the clip in one sequence with its patches",
    "LARP, section 3.2, equation 4"
);
deviation!(
    13,
    "form of the 3D position codes (the paper leaves it open)",
    ("encoder.type", "holistic"),
    "encoder.positions": "'sin-cos'", "'sin-cos'"
);

#[typetag::serde(name = "holistic")]
impl EncoderSettings for HolisticEncoderSettings {
    fn latents(&self, video: &VideoShape) -> Result<LatentShape, SettingsError> {
        PatchGrid::new("encoder", video, self.patch)?;
        self.vit().check("encoder")?;
        self.patch_embedding.check()?;
        if self.tokens == 0 {
            return Err(SettingsError::value("encoder.tokens", 0, "at least one token a clip"));
        }
        Ok(LatentShape { tokens: self.tokens, dim: self.dim })
    }

    fn build(&self, context: &BuildContext) -> Result<DynEncoder, SettingsError> {
        Ok(HolisticEncoder::new(self, context)?.into())
    }
}

impl HolisticEncoderSettings {
    fn vit(&self) -> VitConfig {
        VitConfig { dim: self.dim, depth: self.depth, heads: self.heads }
    }
}

/// The encoder.
#[derive(Component, Debug)]
pub struct HolisticEncoder {
    /// Patches to tokens.
    pub embed: PatchEmbed,
    /// Codes of the patches.
    pub positions: PatchCodes,
    /// `[tokens, dim]`.
    pub queries: Param<Tensor<2>>,
    /// The transformer.
    pub transformer: Vit,
    #[component(skip)]
    latents: LatentShape,
}

impl HolisticEncoder {
    /// Builds it.
    ///
    /// # Errors
    /// When the settings do not fit the clips.
    pub fn new(settings: &HolisticEncoderSettings, context: &BuildContext) -> Result<Self, SettingsError> {
        let latents = settings.latents(&context.video)?;
        let (grid, device) = (PatchGrid::new("encoder", &context.video, settings.patch)?, &context.device);
        Ok(Self {
            embed: PatchEmbed::new(grid, settings.dim, settings.patch_embedding, device),
            positions: PatchCodes::new(settings.positions, grid.cells(), settings.dim, device),
            queries: init::param([settings.tokens, settings.dim], Init::Normal { std: settings.query_std }, device),
            transformer: settings.vit().init(device),
            latents,
        })
    }
}

impl Encoder for HolisticEncoder {
    fn encode(&self, video: Tensor<5>) -> Tensor<3> {
        let patches = self.embed.forward(video) + self.positions.val();
        let LatentShape { tokens, dim } = self.latents;
        let queries = self.queries.val().unsqueeze::<3>().expand([patches.dims()[0], tokens, dim]);
        self.transformer.gather(patches, queries)
    }

    fn latents(&self) -> LatentShape {
        self.latents
    }
}
