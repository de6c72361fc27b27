//! Our settings as released arguments. What the released code has no argument for is found by reading them again, so nothing is checked
//! here but what a part is.

use larp_traits::foreign::{ForeignError, Sequence, TensorShape};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::arguments::{
    BottleneckArguments, GeneratorArguments, PriorArguments, PriorSpec, QuantizerArguments, Spec, TokenizerArguments,
};
use super::sizes::{Size, prior_name};
use crate::decoder::holistic::HolisticDecoderSettings;
use crate::encoder::holistic::HolisticEncoderSettings;
use crate::generator::llama::{LlamaSettings, Task};
use crate::layers::codes::{PatchPositions, TokenPositions};
use crate::prior::continuous_ar::{ContinuousArSettings, Similarity};
use crate::quantizer::svq::SvqSettings;
use crate::quantizer::vq::VqSettings;

/// The name of a prior whose size has none: its tensors tell the size.
const PRIOR_BY_TENSORS: &str = "gptc-custom";

/// What no argument there says and no trained parameter depends on: it is not saved.
const NOT_SAVED: [&str; 6] = [
    "bottleneck.out_gain",
    "encoder.patch_embedding.gain",
    "generator.condition_frames",
    "generator.condition_tokens",
    "prior.codebook_gradient",
    "prior.dropout.attention_in_evaluation",
];

/// Arguments of a tokenizer, and the shapes that tell the size of a prior without a name.
pub(super) fn tokenizer(sections: &Map<String, Value>) -> Result<(TokenizerArguments, Vec<TensorShape>), ForeignError> {
    let encoder: HolisticEncoderSettings = part(sections, "encoder", "holistic")?;
    let decoder: HolisticDecoderSettings = part(sections, "decoder", "holistic")?;
    let quantizer = quantizer(sections)?;
    let prior = sections.get("prior").map(|_| part::<ContinuousArSettings>(sections, "prior", "continuous-ar")).transpose()?;
    let size = |section: &str, key: &str| {
        let value = sections.get(section).and_then(|section| section.get(key)).and_then(Value::as_u64);
        value.map(|value| value as usize).ok_or_else(|| ForeignError::new(format!("the pipeline has no `{section}.{key}`")))
    };
    let (height, width) = (size("clip", "height")?, size("clip", "width")?);
    if height != width {
        return Err(ForeignError::new(format!("the clips are {height} x {width}, and the released code has square ones")));
    }
    let shapes = prior.iter().flat_map(shapes_of_prior).collect();
    let arguments = TokenizerArguments {
        prior_model: prior.map(|prior| prior_spec(&prior, encoder.tokens)).unwrap_or_default(),
        bottleneck: Spec {
            name: "bottleneck".into(),
            args: BottleneckArguments {
                bottleneck_dim: size("bottleneck", "code_dim")?,
                norm: Some("none".into()),
                regularizer: Spec { name: "vq".into(), args: quantizer },
            },
        },
        bottleneck_token_num: encoder.tokens,
        input_size: width,
        frame_num: size("clip", "frames")?,
        temporal_patch_size: encoder.patch.frames,
        patch_size: encoder.patch.size,
        decoder_temporal_patch_size: decoder.patch.frames,
        decoder_patch_size: decoder.patch.size,
        in_channels: 3,
        transformer_name: Some("transformer_encoder_parallel".into()),
        encoder_name: None,
        decoder_name: None,
        latent_pe_scale_factor: 10_000.0,
        query_init_std: Some(encoder.query_std),
        encoder_hidden_size: encoder.dim,
        decoder_hidden_size: decoder.dim,
        encoder_num_heads: encoder.heads,
        decoder_num_heads: decoder.heads,
        encoder_depth: encoder.depth,
        decoder_depth: decoder.depth,
        learned_encoder_patch_pe: encoder.positions == PatchPositions::Factorized,
        learned_encoder_latent_query_embed: true,
        learned_decoder_latent_pe: decoder.token_positions == TokenPositions::Learned,
        learned_decoder_patch_query_embed: decoder.patch_queries == PatchPositions::Factorized,
        use_encoder_patch_token_type_embed: false,
        use_encoder_latent_query_token_type_embed: false,
        use_decoder_latent_token_type_embed: false,
        use_decoder_patch_query_token_type_embed: decoder.query_type_embedding,
        encoder_query_gaussian_init: true,
    };
    Ok((arguments, shapes))
}

fn quantizer(sections: &Map<String, Value>) -> Result<QuantizerArguments, ForeignError> {
    let arguments = |codebook_size, commitment_loss_weight, codebook_loss_weight| QuantizerArguments {
        codebook_size,
        commitment_loss_weight,
        codebook_loss_weight,
        entropy_loss_weight: 0.0,
        entropy_loss_temperature: None,
        l2_normalized: true,
        same_index_shape: None,
        stochastic: true,
        stochastic_temperature: 1.0,
    };
    if kind(sections, "quantizer") == "vq" {
        let vq: VqSettings = part(sections, "quantizer", "vq")?;
        let arguments = arguments(vq.codebook_size, vq.commitment_weight, vq.codebook_weight);
        return Ok(QuantizerArguments {
            l2_normalized: vq.l2_normalize,
            stochastic: false,
            entropy_loss_weight: vq.entropy_weight,
            entropy_loss_temperature: Some(vq.entropy_temperature),
            ..arguments
        });
    }
    let svq: SvqSettings = part(sections, "quantizer", "svq")?;
    let arguments = arguments(svq.codebook_size, svq.commitment_weight, svq.codebook_weight);
    Ok(QuantizerArguments { stochastic_temperature: svq.temperature, ..arguments })
}

fn prior_spec(prior: &ContinuousArSettings, tokens: usize) -> PriorSpec {
    let sampling = &prior.scheduled_sampling;
    let size = Size { depth: prior.depth, heads: prior.heads, dim: prior.dim };
    PriorSpec {
        name: prior_name(size).unwrap_or(PRIOR_BY_TENSORS).into(),
        use_mix_ss: sampling.max_ratio > 0.0,
        mix_ss_max_ratio: sampling.max_ratio,
        mix_ss_peak_steps_ratio: sampling.peak,
        n_rounds: if sampling.max_ratio > 0.0 { 2 } else { 1 },
        avg_loss_over_rounds: true,
        no_grad_before_last_round: false,
        no_dropout: false,
        latent_ce_temperature: prior.temperature,
        args: PriorArguments {
            embd_pdrop: prior.dropout.embedding,
            resid_pdrop: prior.dropout.residual,
            attn_pdrop: prior.dropout.attention,
            max_seq_len: tokens,
            l2_normalized: prior.similarity == Similarity::Cosine,
        },
    }
}

fn shapes_of_prior(prior: &ContinuousArSettings) -> Vec<TensorShape> {
    let blocks = (0..prior.depth).map(|block| (format!("prior_model.blocks.{block}.ln1.weight"), vec![prior.dim]));
    let positions = ("prior_model.pos_emb".to_owned(), vec![1, 1, prior.dim]);
    blocks.chain([positions]).map(|(name, shape)| TensorShape { name, shape }).collect()
}

/// Arguments of a generator.
pub(super) fn generator(sections: &Map<String, Value>, sequence: Sequence) -> Result<GeneratorArguments, ForeignError> {
    let llama: LlamaSettings = part(sections, "generator", "llama")?;
    let frame_prediction = llama.task == Task::FramePrediction;
    // ours says 0 for the tokens of a clip and the separator
    let prefix = if llama.prefix_tokens == 0 { sequence.tokens + 1 } else { llama.prefix_tokens };
    Ok(GeneratorArguments {
        dim: Some(llama.dim),
        n_layer: Some(llama.depth),
        n_head: Some(llama.heads),
        multiple_of: llama.ffn_multiple,
        token_dropout_p: llama.token_dropout,
        resid_dropout_p: llama.residual_dropout,
        ffn_dropout_p: llama.ffn_dropout,
        class_dropout_prob: llama.class_dropout,
        num_classes: sequence.classes,
        vocab_size: sequence.vocab_size,
        max_seq_len: sequence.tokens,
        cls_token_num: if frame_prediction { prefix } else { 1 },
        frame_prediction,
        ..GeneratorArguments::default()
    })
}

fn kind<'a>(sections: &'a Map<String, Value>, section: &str) -> &'a str {
    sections.get(section).and_then(|section| section.get("type")).and_then(Value::as_str).unwrap_or("none")
}

fn part<T: DeserializeOwned>(sections: &Map<String, Value>, section: &str, expected: &str) -> Result<T, ForeignError> {
    let found = kind(sections, section);
    if found != expected {
        return Err(ForeignError::new(format!("the released code has no {section} like `{found}`, expected `{expected}`")));
    }
    let mut values = sections.get(section).and_then(Value::as_object).cloned().unwrap_or_default();
    values.remove("type");
    T::deserialize(Value::Object(values)).map_err(|error| ForeignError::new(format!("`{section}`: {error}")))
}

/// The keys of ours whose values are others once they were read again.
pub(super) fn differences(key: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                let key = format!("{key}.{name}");
                match theirs.get(name) {
                    _ if NOT_SAVED.contains(&key.as_str()) => {}
                    Some(other) => differences(&key, value, other, found),
                    // a section without a plugin has only the keys that import sets; `none` is what the others are then
                    None if value == "none" => {}
                    None => found.push(format!("`{key}` = {value}")),
                }
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if ours != theirs => found.push(format!("`{key}` = {ours}")),
        _ => {}
    }
}
