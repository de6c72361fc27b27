//! The released tokenizer.

use super::arguments::TokenizerArguments;
use super::keys::{Codes, KeyMap, Row, fixed, row};
use super::layout::Layout::{Kernel, Linear, Ones, Same};
use crate::layers::positions::{sin_cos_1d, sin_cos_3d};

type A = TokenizerArguments;

/// Their name, our path within the pipeline's tokenizer, the change of layout.
#[rustfmt::skip]
const TABLE: &[Row<A>] = &[
    row("x_embedder.proj.weight", "encoder.embed.proj.weight", Kernel),
    row("x_embedder.proj.bias", "encoder.embed.proj.bias", Same),
    row("encoder_t_embed", "encoder.positions.time", Ones(&[0, 2, 3])).when(|a| a.learned_encoder_patch_pe),
    row("encoder_h_embed", "encoder.positions.height", Ones(&[0, 1, 3])).when(|a| a.learned_encoder_patch_pe),
    // so it is spelled there
    row("encode_w_embed", "encoder.positions.width", Ones(&[0, 1, 2])).when(|a| a.learned_encoder_patch_pe),
    fixed("encoder_patch_pe", encoder_patches).when(|a| !a.learned_encoder_patch_pe),
    row("encoder_latent_query_embed", "encoder.queries", Same),
    row("encoder.blocks.{}.norm1.weight", "encoder.transformer.blocks.{}.norm1.gamma", Same),
    row("encoder.blocks.{}.norm1.bias", "encoder.transformer.blocks.{}.norm1.beta", Same),
    row("encoder.blocks.{}.attn.qkv.weight", "encoder.transformer.blocks.{}.qkv.weight", Linear),
    row("encoder.blocks.{}.attn.proj.weight", "encoder.transformer.blocks.{}.proj.weight", Linear),
    row("encoder.blocks.{}.attn.proj.bias", "encoder.transformer.blocks.{}.proj.bias", Same),
    row("encoder.blocks.{}.norm2.weight", "encoder.transformer.blocks.{}.norm2.gamma", Same),
    row("encoder.blocks.{}.norm2.bias", "encoder.transformer.blocks.{}.norm2.beta", Same),
    row("encoder.blocks.{}.mlp.fc1.weight", "encoder.transformer.blocks.{}.fc1.weight", Linear),
    row("encoder.blocks.{}.mlp.fc1.bias", "encoder.transformer.blocks.{}.fc1.bias", Same),
    row("encoder.blocks.{}.mlp.fc2.weight", "encoder.transformer.blocks.{}.fc2.weight", Linear),
    row("encoder.blocks.{}.mlp.fc2.bias", "encoder.transformer.blocks.{}.fc2.bias", Same),

    row("bottleneck.in_linear.weight", "project_in.weight", Linear),
    row("bottleneck.in_linear.bias", "project_in.bias", Same),
    row("bottleneck.regularizer.embedding.weight", "quantizer.embedding", Same),
    row("bottleneck.out_linear.weight", "project_out.weight", Linear),
    row("bottleneck.out_linear.bias", "project_out.bias", Same),

    row("decoder_latent_pe", "decoder.positions.learned", Ones(&[0])).when(|a| a.learned_decoder_latent_pe),
    fixed("decoder_latent_pe", latents).when(|a| !a.learned_decoder_latent_pe),
    row("decoder_t_embed", "decoder.queries.time", Ones(&[0, 2, 3])).when(|a| a.learned_decoder_patch_query_embed),
    row("decoder_h_embed", "decoder.queries.height", Ones(&[0, 1, 3])).when(|a| a.learned_decoder_patch_query_embed),
    row("decoder_w_embed", "decoder.queries.width", Ones(&[0, 1, 2])).when(|a| a.learned_decoder_patch_query_embed),
    fixed("decoder_patch_query_embed", decoder_patches).when(|a| !a.learned_decoder_patch_query_embed),
    row("decoder_patch_query_token_type_embed", "decoder.query_type", Ones(&[0, 1])).when(|a| a.use_decoder_patch_query_token_type_embed),
    row("decoder.blocks.{}.norm1.weight", "decoder.transformer.blocks.{}.norm1.gamma", Same),
    row("decoder.blocks.{}.norm1.bias", "decoder.transformer.blocks.{}.norm1.beta", Same),
    row("decoder.blocks.{}.attn.qkv.weight", "decoder.transformer.blocks.{}.qkv.weight", Linear),
    row("decoder.blocks.{}.attn.proj.weight", "decoder.transformer.blocks.{}.proj.weight", Linear),
    row("decoder.blocks.{}.attn.proj.bias", "decoder.transformer.blocks.{}.proj.bias", Same),
    row("decoder.blocks.{}.norm2.weight", "decoder.transformer.blocks.{}.norm2.gamma", Same),
    row("decoder.blocks.{}.norm2.bias", "decoder.transformer.blocks.{}.norm2.beta", Same),
    row("decoder.blocks.{}.mlp.fc1.weight", "decoder.transformer.blocks.{}.fc1.weight", Linear),
    row("decoder.blocks.{}.mlp.fc1.bias", "decoder.transformer.blocks.{}.fc1.bias", Same),
    row("decoder.blocks.{}.mlp.fc2.weight", "decoder.transformer.blocks.{}.fc2.weight", Linear),
    row("decoder.blocks.{}.mlp.fc2.bias", "decoder.transformer.blocks.{}.fc2.bias", Same),
    row("final_layer.norm_final.weight", "decoder.head.norm.gamma", Same),
    row("final_layer.norm_final.bias", "decoder.head.norm.beta", Same),
    row("final_layer.linear.weight", "decoder.head.linear.weight", Linear),
    row("final_layer.linear.bias", "decoder.head.linear.bias", Same),

    row("prior_model.input_proj.weight", "prior.input.weight", Linear).when(A::has_prior),
    row("prior_model.input_proj.bias", "prior.input.bias", Same).when(A::has_prior),
    row("prior_model.pos_emb", "prior.positions", Ones(&[0])).when(A::has_prior),
    row("prior_model.blocks.{}.ln1.weight", "prior.blocks.{}.norm1.gamma", Same).when(A::has_prior),
    row("prior_model.blocks.{}.ln1.bias", "prior.blocks.{}.norm1.beta", Same).when(A::has_prior),
    row("prior_model.blocks.{}.attn.query.weight", "prior.blocks.{}.query.weight", Linear).when(A::has_prior),
    row("prior_model.blocks.{}.attn.query.bias", "prior.blocks.{}.query.bias", Same).when(A::has_prior),
    row("prior_model.blocks.{}.attn.key.weight", "prior.blocks.{}.key.weight", Linear).when(A::has_prior),
    row("prior_model.blocks.{}.attn.key.bias", "prior.blocks.{}.key.bias", Same).when(A::has_prior),
    row("prior_model.blocks.{}.attn.value.weight", "prior.blocks.{}.value.weight", Linear).when(A::has_prior),
    row("prior_model.blocks.{}.attn.value.bias", "prior.blocks.{}.value.bias", Same).when(A::has_prior),
    row("prior_model.blocks.{}.attn.proj.weight", "prior.blocks.{}.proj.weight", Linear).when(A::has_prior),
    row("prior_model.blocks.{}.attn.proj.bias", "prior.blocks.{}.proj.bias", Same).when(A::has_prior),
    row("prior_model.blocks.{}.ln2.weight", "prior.blocks.{}.norm2.gamma", Same).when(A::has_prior),
    row("prior_model.blocks.{}.ln2.bias", "prior.blocks.{}.norm2.beta", Same).when(A::has_prior),
    row("prior_model.blocks.{}.mlp.0.weight", "prior.blocks.{}.fc1.weight", Linear).when(A::has_prior),
    row("prior_model.blocks.{}.mlp.0.bias", "prior.blocks.{}.fc1.bias", Same).when(A::has_prior),
    row("prior_model.blocks.{}.mlp.2.weight", "prior.blocks.{}.fc2.weight", Linear).when(A::has_prior),
    row("prior_model.blocks.{}.mlp.2.bias", "prior.blocks.{}.fc2.bias", Same).when(A::has_prior),
    row("prior_model.ln_f.weight", "prior.norm.gamma", Same).when(A::has_prior),
    row("prior_model.ln_f.bias", "prior.norm.beta", Same).when(A::has_prior),
    row("prior_model.head.weight", "prior.head.weight", Linear).when(A::has_prior),
    row("prior_model.head.bias", "prior.head.bias", Same).when(A::has_prior),
];

/// The names of a tokenizer of these arguments.
pub fn keys(arguments: &TokenizerArguments) -> KeyMap {
    let (frames, size) = (arguments.temporal_patch_size, arguments.patch_size);
    // patches of one frame are cut by a 2D convolution there
    let kernel =
        if frames == 1 { vec![arguments.in_channels, size, size] } else { vec![arguments.in_channels, frames, size, size] };
    KeyMap::new(TABLE, arguments, kernel)
}

fn encoder_patches(arguments: &A) -> Codes {
    patches(arguments.encoder_hidden_size, arguments.encoder_cells())
}

fn decoder_patches(arguments: &A) -> Codes {
    patches(arguments.decoder_hidden_size, arguments.decoder_cells())
}

fn patches(dim: usize, cells: [usize; 3]) -> Codes {
    Codes { shape: vec![1, cells.iter().product(), dim], values: sin_cos_3d(dim, cells) }
}

fn latents(arguments: &A) -> Codes {
    let (tokens, dim) = (arguments.bottleneck_token_num, arguments.decoder_hidden_size);
    Codes { shape: vec![1, tokens, dim], values: sin_cos_1d(dim, tokens, arguments.latent_pe_scale_factor) }
}
