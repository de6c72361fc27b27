//! `holistic`: patch queries gather from the tokens in one sequence (paper, section 3.2, equation 5).

use larp_traits::deviation;
use larp_traits::prelude::*;

use crate::layers::codes::{CODE_STD, PatchCodes, PatchPositions, TokenCodes, TokenPositions};
use crate::layers::patchify::{Patch, PatchGrid};
use crate::layers::pixels::PixelHead;
use crate::layers::vit::{Vit, VitConfig};

/// Settings of [`HolisticDecoder`]; the defaults are LARP-L as in the paper.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HolisticDecoderSettings {
    /// Width of the transformer.
    pub dim: usize,
    /// Number of its blocks.
    pub depth: usize,
    /// Number of its heads.
    pub heads: usize,
    /// Size of a patch.
    pub patch: Patch,
    /// The patch queries: learned in the paper, fixed codes in the released code (SPEC.md, departure 4).
    pub patch_queries: PatchPositions,
    /// One learned vector added to every patch query, as in the released code.
    pub query_type_embedding: bool,
    /// Position codes of the tokens.
    pub token_positions: TokenPositions,
}

impl Default for HolisticDecoderSettings {
    fn default() -> Self {
        Self {
            dim: 768,
            depth: 12,
            heads: 12,
            patch: Patch::default(),
            patch_queries: PatchPositions::Learned,
            query_type_embedding: false,
            token_positions: TokenPositions::default(),
        }
    }
}

register!(
    Decoder,
    "holistic",
    HolisticDecoderSettings,
    "patch queries gather from the tokens in one sequence",
    "LARP, section 3.2, equation 5"
);
deviation!(
    4,
    "the decoder's patch queries",
    ("decoder.type", "holistic"),
    "decoder.patch_queries": "'learned'", "'sin-cos'";
    "decoder.query_type_embedding": "false", "true"
);

#[typetag::serde(name = "holistic")]
impl DecoderSettings for HolisticDecoderSettings {
    fn latents(&self, video: &VideoShape, tokens: usize) -> Result<LatentShape, SettingsError> {
        PatchGrid::new("decoder", video, self.patch)?;
        self.vit().check("decoder")?;
        Ok(LatentShape { tokens, dim: self.dim })
    }

    fn build(&self, context: &BuildContext) -> Result<DynDecoder, SettingsError> {
        Ok(HolisticDecoder::new(self, context)?.into())
    }
}

impl HolisticDecoderSettings {
    fn vit(&self) -> VitConfig {
        VitConfig { dim: self.dim, depth: self.depth, heads: self.heads }
    }
}

/// The decoder.
#[derive(Component, Debug)]
pub struct HolisticDecoder {
    /// Codes of the tokens.
    pub positions: TokenCodes,
    /// One a patch.
    pub queries: PatchCodes,
    /// `[dim]`, added to every query.
    pub query_type: Option<Param<Tensor<1>>>,
    /// The transformer.
    pub transformer: Vit,
    /// To pixels.
    pub head: PixelHead,
}

impl HolisticDecoder {
    /// Builds it.
    ///
    /// # Errors
    /// When the settings do not fit the clips.
    pub fn new(settings: &HolisticDecoderSettings, context: &BuildContext) -> Result<Self, SettingsError> {
        let LatentShape { tokens, dim } = settings.latents(&context.video, context.latents.tokens)?;
        let (grid, device) = (PatchGrid::new("decoder", &context.video, settings.patch)?, &context.device);
        let query_type = || init::param([dim], Init::Normal { std: CODE_STD }, device);
        Ok(Self {
            positions: TokenCodes::new(settings.token_positions, tokens, dim, device),
            queries: PatchCodes::new(settings.patch_queries, grid.cells(), dim, device),
            query_type: settings.query_type_embedding.then(query_type),
            transformer: settings.vit().init(device),
            head: PixelHead::new(grid, dim, device),
        })
    }
}

impl Decoder for HolisticDecoder {
    fn decode(&self, embeddings: Tensor<3>) -> Tensor<5> {
        let mut queries = self.queries.val();
        if let Some(kind) = &self.query_type {
            queries = queries + kind.val().unsqueeze();
        }
        let [batch, _, dim] = embeddings.dims();
        let queries = queries.clone().expand([batch, queries.dims()[1], dim]);
        self.head.forward(self.transformer.gather(embeddings + self.positions.val(), queries))
    }

    fn last_layer(&self) -> Option<&'static str> {
        Some("head.linear.weight")
    }
}
