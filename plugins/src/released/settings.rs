//! Released arguments to our settings.

use larp_traits::{
    BuildContext, ConditionTokens, Device, EncoderSettings as _, LatentShape, QuantizerSettings, QuantizerShape, SettingsError,
    VideoShape,
};

use super::arguments::{GeneratorArguments, QuantizerArguments, TokenizerArguments, is_none};
use super::{NamedTensor, ReleasedError, sizes};
use crate::decoder::holistic::HolisticDecoderSettings;
use crate::encoder::holistic::HolisticEncoderSettings;
use crate::generator::llama::{LlamaSettings, Task};
use crate::layers::codes::{CODE_STD, PatchPositions, TokenPositions};
use crate::layers::gpt::GptDropout;
use crate::layers::patchify::Patch;
use crate::layers::pixels::PatchEmbedConfig;
use crate::prior::continuous_ar::{ContinuousArSettings, ScheduledSampling, Similarity};
use crate::quantizer::svq::SvqSettings;
use crate::quantizer::vq::VqSettings;

/// Settings of the parts of a tokenizer.
#[derive(Debug, Clone)]
pub struct TokenizerParts {
    /// The clips.
    pub video: VideoShape,
    /// Width of the codes.
    pub code_dim: usize,
    /// The encoder.
    pub encoder: HolisticEncoderSettings,
    /// The quantizer: `svq` or `vq`.
    pub quantizer: Box<dyn QuantizerSettings>,
    /// The decoder.
    pub decoder: HolisticDecoderSettings,
    /// The prior, where there is one.
    pub prior: Option<ContinuousArSettings>,
}

impl TokenizerParts {
    /// What the parts are built with.
    ///
    /// # Errors
    /// When the settings cannot work.
    pub fn context(&self, device: &Device) -> Result<BuildContext, SettingsError> {
        let (latents, quantizer) = (self.encoder.latents(&self.video)?, self.quantizer.shape(self.code_dim)?);
        Ok(BuildContext { device: device.clone(), video: self.video, latents, quantizer, classes: 0 })
    }
}

impl TokenizerArguments {
    /// Our settings. The tensors of the checkpoint tell the size of a prior whose name does not.
    ///
    /// # Errors
    /// When an argument has no equivalent here.
    pub fn parts(&self, tensors: &[NamedTensor]) -> Result<TokenizerParts, ReleasedError> {
        self.check()?;
        let positions = |learned| if learned { PatchPositions::Factorized } else { PatchPositions::SinCos };
        let patch = Patch { frames: self.temporal_patch_size, size: self.patch_size };
        Ok(TokenizerParts {
            video: self.video(),
            code_dim: self.bottleneck.args.bottleneck_dim,
            encoder: HolisticEncoderSettings {
                tokens: self.bottleneck_token_num,
                dim: self.encoder_hidden_size,
                depth: self.encoder_depth,
                heads: self.encoder_num_heads,
                patch,
                patch_embedding: PatchEmbedConfig::default(),
                positions: positions(self.learned_encoder_patch_pe),
                query_std: self.query_init_std.unwrap_or(CODE_STD),
            },
            quantizer: quantizer(&self.bottleneck.args.regularizer.args)?,
            decoder: HolisticDecoderSettings {
                dim: self.decoder_hidden_size,
                depth: self.decoder_depth,
                heads: self.decoder_num_heads,
                patch,
                patch_queries: positions(self.learned_decoder_patch_query_embed),
                query_type_embedding: self.use_decoder_patch_query_token_type_embed,
                token_positions: if self.learned_decoder_latent_pe { TokenPositions::Learned } else { TokenPositions::SinCos },
            },
            prior: self.has_prior().then(|| self.prior(tensors)).transpose()?,
        })
    }

    fn video(&self) -> VideoShape {
        VideoShape { channels: self.in_channels, frames: self.frame_num, height: self.input_size, width: self.input_size }
    }

    fn prior(&self, tensors: &[NamedTensor]) -> Result<ContinuousArSettings, ReleasedError> {
        let prior = &self.prior_model;
        let normalized = self.bottleneck.args.regularizer.args.l2_normalized;
        // two rounds with the loss of both: the first of `n_rounds` rounds sees the sequence as it is
        refuse(![1, 2].contains(&prior.n_rounds), "prior_model.n_rounds", prior.n_rounds, "1 or 2 passes")?;
        let both = prior.n_rounds == 1 || (prior.avg_loss_over_rounds && !prior.no_grad_before_last_round);
        refuse(!both, "prior_model.avg_loss_over_rounds", prior.avg_loss_over_rounds, "both passes have a loss and a gradient")?;
        let length = prior.args.max_seq_len;
        refuse(length != self.bottleneck_token_num, "prior_model.args.max_seq_len", length, "it must be `bottleneck_token_num`")?;
        refuse(prior.args.l2_normalized && !normalized, "prior_model.args.l2_normalized", true, "the codes are not normalized")?;
        let scheduled_sampling = match (prior.n_rounds, prior.use_mix_ss) {
            (1, _) => ScheduledSampling { max_ratio: 0.0, ..Default::default() },
            (_, true) => ScheduledSampling { max_ratio: prior.mix_ss_max_ratio, peak: prior.mix_ss_peak_steps_ratio },
            (_, false) => ScheduledSampling { max_ratio: 1.0, peak: 0.0 },
        };
        let rate = |rate: f64| if prior.no_dropout { 0.0 } else { rate };
        let dropout = GptDropout {
            embedding: rate(prior.args.embd_pdrop),
            residual: rate(prior.args.resid_pdrop),
            attention: rate(prior.args.attn_pdrop),
            attention_in_evaluation: true,
        };
        let sizes::Size { depth, heads, dim } = sizes::prior(&prior.name, tensors)?;
        Ok(ContinuousArSettings {
            dim,
            depth,
            heads,
            similarity: if prior.args.l2_normalized { Similarity::Cosine } else { Similarity::Dot },
            temperature: prior.latent_ce_temperature,
            codebook_gradient: false,
            scheduled_sampling,
            dropout,
        })
    }

    fn check(&self) -> Result<(), ReleasedError> {
        let patches = (self.temporal_patch_size, self.patch_size);
        let decoded = (self.decoder_temporal_patch_size, self.decoder_patch_size);
        // released code: larp_tokenizer.py, unpatchify cuts by the encoder's patch
        refuse(
            patches != decoded,
            "decoder_patch_size",
            format!("{decoded:?}"),
            "the encoder's and the decoder's patch are one",
        )?;
        for (key, name) in [
            ("transformer_name", &self.transformer_name),
            ("encoder_name", &self.encoder_name),
            ("decoder_name", &self.decoder_name),
        ] {
            let name = name.as_deref().unwrap_or_default();
            refuse(
                !is_none(name) && name != "transformer_encoder_parallel",
                key,
                name,
                "expected `transformer_encoder_parallel`",
            )?;
        }
        let bottleneck = &self.bottleneck.args;
        refuse(self.bottleneck.name != "bottleneck", "bottleneck.name", &self.bottleneck.name, "expected `bottleneck`")?;
        let norm = bottleneck.norm.as_deref().unwrap_or_default();
        refuse(!is_none(norm), "bottleneck.args.norm", norm, "expected `none`")?;
        let quantizer = bottleneck.regularizer.name.as_str();
        refuse(quantizer != "vq", "bottleneck.args.regularizer.name", quantizer, "expected `vq`")?;
        // ours has this base; the codes of the clip have it there too
        refuse(self.latent_pe_scale_factor != 1e4, "latent_pe_scale_factor", self.latent_pe_scale_factor, "expected 10000")?;
        let queries = self.learned_encoder_latent_query_embed;
        refuse(!queries, "learned_encoder_latent_query_embed", queries, "the queries are learned")?;
        for (key, used) in [
            ("use_encoder_patch_token_type_embed", self.use_encoder_patch_token_type_embed),
            ("use_encoder_latent_query_token_type_embed", self.use_encoder_latent_query_token_type_embed),
            ("use_decoder_latent_token_type_embed", self.use_decoder_latent_token_type_embed),
        ] {
            refuse(used, key, used, "only patch queries have a type vector")?;
        }
        Ok(())
    }
}

fn quantizer(arguments: &QuantizerArguments) -> Result<Box<dyn QuantizerSettings>, ReleasedError> {
    let entropy_weight = arguments.entropy_loss_weight;
    let (codebook_size, l2_normalize) = (arguments.codebook_size, arguments.l2_normalized);
    let (commitment_weight, codebook_weight) = (arguments.commitment_loss_weight, arguments.codebook_loss_weight);
    if !arguments.stochastic {
        let defaults = VqSettings::default();
        let entropy_temperature = arguments.entropy_loss_temperature.unwrap_or(defaults.entropy_temperature);
        return Ok(Box::new(VqSettings {
            codebook_size,
            l2_normalize,
            commitment_weight,
            codebook_weight,
            entropy_weight,
            entropy_temperature,
            ..defaults
        }));
    }
    // released code: bottleneck.py takes the distances, which it computes for `vq` alone
    refuse(entropy_weight != 0.0, "entropy_loss_weight", entropy_weight, "expected 0 where codes are drawn")?;
    refuse(!l2_normalize, "l2_normalized", l2_normalize, "stochastic quantization compares directions")?;
    let temperature = arguments.stochastic_temperature;
    refuse(temperature <= 0.0, "stochastic_temperature", temperature, "a learned temperature has no equivalent")?;
    // codes are drawn while training: the deterministic quantizer returned above
    Ok(Box::new(SvqSettings { codebook_size, temperature, commitment_weight, codebook_weight, ..SvqSettings::default() }))
}

/// Settings of a generator with what it knows of the tokenizer.
#[derive(Debug, Clone)]
pub struct GeneratorParts {
    /// The generator.
    pub generator: LlamaSettings,
    /// Tokens of a clip.
    pub tokens: usize,
    /// Distinct tokens.
    pub vocab_size: usize,
    /// Classes of the data.
    pub classes: usize,
}

impl GeneratorParts {
    /// What the generator is built with; it does not look at the tokenizer's widths and clips, which are 0 here.
    pub fn context(&self, device: &Device) -> BuildContext {
        BuildContext {
            device: device.clone(),
            video: VideoShape { channels: 0, frames: 0, height: 0, width: 0 },
            latents: LatentShape { tokens: self.tokens, dim: 0 },
            quantizer: QuantizerShape { vocab_size: self.vocab_size, code_dim: 0, codebook: true },
            classes: self.classes,
        }
    }
}

impl GeneratorArguments {
    /// Takes the sizes of a named model (`llama-abs-LP`) where the arguments do not say them.
    pub fn named(mut self, name: &str) -> Self {
        if let Some(size) = sizes::generator(name) {
            self.dim.get_or_insert(size.dim);
            self.n_layer.get_or_insert(size.depth);
            self.n_head.get_or_insert(size.heads);
        }
        self
    }

    /// Our settings.
    ///
    /// # Errors
    /// When an argument has no equivalent here, or the sizes are not known.
    pub fn parts(&self) -> Result<GeneratorParts, ReleasedError> {
        let size = |key, value: Option<usize>| {
            value.ok_or(ReleasedError::Argument { key, found: "absent".into(), expected: "say it, or the name of a known size" })
        };
        let (dim, depth, heads) = (size("dim", self.dim)?, size("n_layer", self.n_layer)?, size("n_head", self.n_head)?);
        let groups = self.n_kv_head.unwrap_or(heads);
        refuse(groups != heads, "n_kv_head", groups, "every head has its own keys")?;
        refuse(self.ffn_dim_multiplier.is_some(), "ffn_dim_multiplier", "set", "there is no such factor")?;
        refuse(self.norm_eps != 1e-5, "norm_eps", self.norm_eps, "expected 1e-5")?;
        refuse(self.use_fixed_pe, "use_fixed_pe", true, "the position codes are learned")?;
        refuse(self.drop_path_rate != 0.0, "drop_path_rate", self.drop_path_rate, "no path is dropped")?;
        refuse(self.attn_dropout_p != 0.0, "attn_dropout_p", self.attn_dropout_p, "there is no attention dropout")?;
        refuse(self.model_type != "class_cond", "model_type", &self.model_type, "expected `class_cond`")?;
        // released code: embed.py, without dropout there is no row for no class
        let dropped = self.class_dropout_prob > 0.0 || self.frame_prediction;
        refuse(!dropped, "class_dropout_prob", self.class_dropout_prob, "there is always a vector for no class")?;
        let prefix = self.cls_token_num;
        refuse(prefix == 0 || (prefix != 1 && !self.frame_prediction), "cls_token_num", prefix, "a class is one token")?;
        Ok(GeneratorParts {
            generator: LlamaSettings {
                dim,
                depth,
                heads,
                ffn_multiple: self.multiple_of,
                task: if self.frame_prediction { Task::FramePrediction } else { Task::ClassConditional },
                prefix_tokens: if self.frame_prediction { prefix } else { 0 },
                // the arguments do not say how many frames: the released configuration does, cfgs/larp_ar_fp.yaml
                condition_frames: 5,
                // released code: sample.py, departure 9
                condition_tokens: ConditionTokens::Drawn,
                token_dropout: self.token_dropout_p,
                residual_dropout: self.resid_dropout_p,
                ffn_dropout: self.ffn_dropout_p,
                class_dropout: self.class_dropout_prob,
            },
            tokens: self.max_seq_len,
            vocab_size: self.vocab_size,
            classes: if self.frame_prediction { 0 } else { self.num_classes },
        })
    }
}

fn refuse(wrong: bool, key: &'static str, found: impl ToString, expected: &'static str) -> Result<(), ReleasedError> {
    if wrong { Err(ReleasedError::Argument { key, found: found.to_string(), expected }) } else { Ok(()) }
}
