//! The arguments of the released models, named and defaulted as there; a key that the released code does not know is an error.

use serde::{Deserialize, Serialize};

/// Arguments of the tokenizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names, explained in settings.rs by what they become")]
pub struct TokenizerArguments {
    pub bottleneck: Spec<BottleneckArguments>,
    #[serde(default)]
    pub prior_model: PriorSpec,
    #[serde(default = "usizes::<1024>")]
    pub bottleneck_token_num: usize,
    #[serde(default = "usizes::<128>")]
    pub input_size: usize,
    #[serde(default = "usizes::<16>")]
    pub frame_num: usize,
    #[serde(default = "usizes::<4>")]
    pub temporal_patch_size: usize,
    #[serde(default = "usizes::<8>")]
    pub patch_size: usize,
    #[serde(default = "usizes::<4>")]
    pub decoder_temporal_patch_size: usize,
    #[serde(default = "usizes::<8>")]
    pub decoder_patch_size: usize,
    #[serde(default = "usizes::<3>")]
    pub in_channels: usize,
    #[serde(default)]
    pub transformer_name: Option<String>,
    #[serde(default)]
    pub encoder_name: Option<String>,
    #[serde(default)]
    pub decoder_name: Option<String>,
    #[serde(default = "ten_thousand")]
    pub latent_pe_scale_factor: f64,
    #[serde(default)]
    pub query_init_std: Option<f64>,
    #[serde(default = "usizes::<768>")]
    pub encoder_hidden_size: usize,
    #[serde(default = "usizes::<768>")]
    pub decoder_hidden_size: usize,
    #[serde(default = "usizes::<12>")]
    pub encoder_num_heads: usize,
    #[serde(default = "usizes::<12>")]
    pub decoder_num_heads: usize,
    #[serde(default = "usizes::<6>")]
    pub encoder_depth: usize,
    #[serde(default = "usizes::<6>")]
    pub decoder_depth: usize,
    #[serde(default)]
    pub learned_encoder_patch_pe: bool,
    #[serde(default = "yes")]
    pub learned_encoder_latent_query_embed: bool,
    #[serde(default)]
    pub learned_decoder_latent_pe: bool,
    #[serde(default)]
    pub learned_decoder_patch_query_embed: bool,
    #[serde(default)]
    pub use_encoder_patch_token_type_embed: bool,
    #[serde(default)]
    pub use_encoder_latent_query_token_type_embed: bool,
    #[serde(default)]
    pub use_decoder_latent_token_type_embed: bool,
    #[serde(default)]
    pub use_decoder_patch_query_token_type_embed: bool,
    #[serde(default = "yes")]
    pub encoder_query_gaussian_init: bool,
}

impl TokenizerArguments {
    /// Whether there is a prior.
    pub fn has_prior(&self) -> bool {
        !is_none(&self.prior_model.name)
    }

    pub(super) fn encoder_cells(&self) -> [usize; 3] {
        self.cells(self.temporal_patch_size, self.patch_size)
    }

    pub(super) fn decoder_cells(&self) -> [usize; 3] {
        self.cells(self.decoder_temporal_patch_size, self.decoder_patch_size)
    }

    /// No cells for a patch of size 0, which `parts` refuses.
    fn cells(&self, frames: usize, size: usize) -> [usize; 3] {
        let side = self.input_size.checked_div(size).unwrap_or(0);
        [self.frame_num.checked_div(frames).unwrap_or(0), side, side]
    }
}

/// A part by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names")]
pub struct Spec<T> {
    pub name: String,
    pub args: T,
}

/// Arguments of the bottleneck: the projections and the quantizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names")]
pub struct BottleneckArguments {
    pub bottleneck_dim: usize,
    #[serde(default)]
    pub norm: Option<String>,
    pub regularizer: Spec<QuantizerArguments>,
}

/// Arguments of the quantizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names")]
pub struct QuantizerArguments {
    pub codebook_size: usize,
    #[serde(default = "quarter")]
    pub commitment_loss_weight: f64,
    #[serde(default = "one")]
    pub codebook_loss_weight: f64,
    #[serde(default)]
    pub entropy_loss_weight: f64,
    #[serde(default)]
    pub entropy_loss_temperature: Option<f64>,
    #[serde(default)]
    pub l2_normalized: bool,
    #[serde(default)]
    pub same_index_shape: Option<bool>,
    #[serde(default)]
    pub stochastic: bool,
    #[serde(default = "one")]
    pub stochastic_temperature: f64,
}

/// The prior and how it is used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names")]
pub struct PriorSpec {
    pub name: String,
    pub use_mix_ss: bool,
    pub mix_ss_max_ratio: f64,
    pub mix_ss_peak_steps_ratio: f64,
    pub n_rounds: usize,
    pub avg_loss_over_rounds: bool,
    pub no_grad_before_last_round: bool,
    pub no_dropout: bool,
    pub latent_ce_temperature: f64,
    pub args: PriorArguments,
}

/// Arguments of the prior itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names")]
pub struct PriorArguments {
    pub embd_pdrop: f64,
    pub resid_pdrop: f64,
    pub attn_pdrop: f64,
    pub max_seq_len: usize,
    pub l2_normalized: bool,
}

impl Default for PriorArguments {
    fn default() -> Self {
        Self { embd_pdrop: 0.1, resid_pdrop: 0.1, attn_pdrop: 0.1, max_seq_len: 1024, l2_normalized: true }
    }
}

/// Arguments of the generator. The sizes are absent where the model's name says them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the released names, explained in settings.rs by what they become")]
pub struct GeneratorArguments {
    pub dim: Option<usize>,
    pub n_layer: Option<usize>,
    pub n_head: Option<usize>,
    pub n_kv_head: Option<usize>,
    pub multiple_of: usize,
    pub ffn_dim_multiplier: Option<f64>,
    pub rope_base: Option<f64>,
    pub norm_eps: f64,
    pub initializer_range: Option<f64>,
    pub token_dropout_p: f64,
    pub attn_dropout_p: f64,
    pub resid_dropout_p: f64,
    pub ffn_dropout_p: f64,
    pub drop_path_rate: f64,
    pub num_classes: usize,
    pub class_dropout_prob: f64,
    pub model_type: String,
    pub vocab_size: usize,
    pub cls_token_num: usize,
    pub max_batch_size: Option<usize>,
    pub max_seq_len: usize,
    pub use_fixed_pe: bool,
    pub frame_prediction: bool,
}

impl Default for GeneratorArguments {
    fn default() -> Self {
        Self {
            dim: None,
            n_layer: None,
            n_head: None,
            n_kv_head: None,
            multiple_of: 256,
            ffn_dim_multiplier: None,
            rope_base: None,
            norm_eps: 1e-5,
            initializer_range: None,
            token_dropout_p: 0.1,
            attn_dropout_p: 0.0,
            resid_dropout_p: 0.1,
            ffn_dropout_p: 0.1,
            drop_path_rate: 0.0,
            num_classes: 101,
            class_dropout_prob: 0.1,
            model_type: "class_cond".into(),
            vocab_size: 8192,
            cls_token_num: 1,
            max_batch_size: None,
            max_seq_len: 1024,
            use_fixed_pe: false,
            frame_prediction: false,
        }
    }
}

/// Whether a name means that there is none, as the released code reads it.
pub(super) fn is_none(name: &str) -> bool {
    ["none", "no", "null", ""].contains(&name.to_lowercase().as_str())
}

fn usizes<const N: usize>() -> usize {
    N
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn quarter() -> f64 {
    0.25
}

fn ten_thousand() -> f64 {
    10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"{"bottleneck": {"name": "bottleneck", "args": {"bottleneck_dim": 16, "norm": "none",
        "regularizer": {"name": "vq", "args": {"codebook_size": 8192, "l2_normalized": true, "stochastic": true,
        "stochastic_temperature": 0.03}}}}"#;

    #[test]
    fn absent_arguments_have_the_released_defaults() {
        let arguments: TokenizerArguments = serde_json::from_str(&format!("{SMALLEST}}}")).unwrap();
        assert_eq!((arguments.bottleneck_token_num, arguments.encoder_depth), (1024, 6));
        assert!(!arguments.has_prior() && arguments.learned_encoder_latent_query_embed);
    }

    #[test]
    fn an_unknown_argument_is_named() {
        let error = serde_json::from_str::<TokenizerArguments>(&format!("{SMALLEST}, \"patchsize\": 8}}")).unwrap_err();
        assert!(error.to_string().contains("unknown field `patchsize`"), "{error}");
    }

    #[test]
    fn an_argument_without_equivalent_is_refused() {
        let arguments: TokenizerArguments = serde_json::from_str(&format!("{SMALLEST}, \"decoder_patch_size\": 16}}")).unwrap();
        let error = arguments.parts(&[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "released argument `decoder_patch_size` is (4, 16); the encoder's and the decoder's patch are one"
        );
    }
}
