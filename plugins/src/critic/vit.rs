//! `vit`: a ViT over the patches of a clip that scores by a class token (paper, appendix A.1).

use larp_traits::burn::nn::{LayerNorm, Linear};
use larp_traits::precision::linear_float32;
use larp_traits::prelude::*;

use crate::layers::codes::{PatchCodes, PatchPositions};
use crate::layers::patchify::{Patch, PatchGrid};
use crate::layers::pixels::{PatchEmbed, PatchEmbedConfig};
use crate::layers::spectral::SpectralNorm;
use crate::layers::vit::{Vit, VitConfig};

/// Settings of [`VitCritic`]; the paper gives no size; the defaults are those of the script that trained the released
/// LARP-L (`train_larp_tokenizer_reproduce.sh`; the configuration file beside it has width 384, 8 blocks and 12 heads).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VitCriticSettings {
    /// Width of the transformer.
    pub dim: usize,
    /// Number of its blocks.
    pub depth: usize,
    /// Number of its heads.
    pub heads: usize,
    /// Size of a patch; that of the tokenizer in the paper.
    pub patch: Patch,
    /// Position codes of the patches.
    pub positions: PatchPositions,
    /// Power iterations an update of the spectral normalisation of all linear layers (Miyato et al., 2018; PyTorch has 1); 0 is no
    /// normalisation, as in the paper.
    pub spectral_norm: usize,
}

impl Default for VitCriticSettings {
    fn default() -> Self {
        let (patch, positions) = (Patch::default(), PatchPositions::default());
        Self { dim: 512, depth: 12, heads: 8, patch, positions, spectral_norm: 0 }
    }
}

register!(
    Critic,
    "vit",
    VitCriticSettings,
    "a ViT over patches that scores a clip by its class token",
    "LARP, appendix A.1; Dosovitskiy et al., 2020"
);

#[typetag::serde(name = "vit")]
impl CriticSettings for VitCriticSettings {
    fn check(&self, video: &VideoShape) -> Result<(), SettingsError> {
        PatchGrid::new("critic", video, self.patch)?;
        self.vit().check("critic")?;
        Ok(())
    }

    fn build(&self, context: &BuildContext) -> Result<DynCritic, SettingsError> {
        Ok(VitCritic::new(self, context)?.into())
    }
}

impl VitCriticSettings {
    fn vit(&self) -> VitConfig {
        VitConfig { dim: self.dim, depth: self.depth, heads: self.heads }
    }
}

/// The critic.
#[derive(Component, Debug)]
pub struct VitCritic {
    /// All that is learned.
    pub net: VitCriticNet,
    /// Where the settings ask for it.
    pub spectral: Option<SpectralNorm>,
}

/// Its layers.
#[derive(Component, Debug)]
pub struct VitCriticNet {
    /// Patches to tokens.
    pub embed: PatchEmbed,
    /// Codes of the patches.
    pub positions: PatchCodes,
    /// `[dim]`, the token before those of the patches.
    pub class: Param<Tensor<1>>,
    /// The transformer.
    pub transformer: Vit,
    /// Epsilon 1e-6.
    pub norm: LayerNorm<Backend>,
    /// `[dim, 1]`.
    pub head: Linear<Backend>,
}

impl VitCritic {
    /// Builds it.
    ///
    /// # Errors
    /// When the settings do not fit the clips.
    pub fn new(settings: &VitCriticSettings, context: &BuildContext) -> Result<Self, SettingsError> {
        settings.check(&context.video)?;
        let (dim, device) = (settings.dim, &context.device);
        let grid = PatchGrid::new("critic", &context.video, settings.patch)?;
        let net = VitCriticNet {
            embed: PatchEmbed::new(grid, dim, PatchEmbedConfig::default(), device),
            positions: PatchCodes::new(settings.positions, grid.cells(), dim, device),
            // released code: xavier_uniform_ of a tensor [1, 1, dim]
            class: init::param([dim], Init::xavier_uniform(dim, dim), device),
            transformer: settings.vit().init(device),
            norm: init::layer_norm(dim, 1e-6, device),
            head: init::linear(dim, 1, true, Init::xavier_uniform(dim, 1), device),
        };
        let spectral = (settings.spectral_norm > 0).then(|| SpectralNorm::new(&net, settings.spectral_norm, device));
        Ok(Self { net, spectral })
    }
}

impl VitCriticNet {
    fn score(&self, video: Tensor<5>) -> Tensor<2> {
        let patches = self.embed.forward(video) + self.positions.val();
        let [batch, _, dim] = patches.dims();
        let class = self.class.val().reshape([1, 1, dim]).expand([batch, 1, dim]);
        let tokens = self.transformer.forward(Tensor::cat(vec![class, patches], 1));
        let class = tokens.slice_dim(1, 0..1).squeeze_dim::<2>(1);
        linear_float32(&self.head, self.norm.forward(class))
    }
}

impl Critic for VitCritic {
    fn score(&self, video: Tensor<5>) -> Tensor<2> {
        match &self.spectral {
            Some(spectral) => spectral.normalized(self.net.clone()).score(video),
            None => self.net.score(video),
        }
    }

    fn refresh(&mut self) {
        if let Some(spectral) = &mut self.spectral {
            spectral.refresh(&self.net);
        }
    }
}
