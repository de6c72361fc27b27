//! Quantizers.

use burn::module::Module as _;

use super::compare::{assert_close, assert_finite};
use super::gradients::{assert_reached, nudged};
use super::trial::{first_fitting, normal};
use super::{Outputs, Subject, Trial};
use crate::tensor::{Int, Tensor, ints_to_host, to_host};
use crate::{BuildContext, Draw, DynQuantizer, Kind, QuantizerSettings, SettingsError, Stream};

/// The kind.
pub struct Quantizer;

impl Subject for Quantizer {
    const KIND: Kind = Kind::Quantizer;
    const MAY_LACK_PARAMETERS: bool = true;
    type Settings = Box<dyn QuantizerSettings>;
    type Model = DynQuantizer;

    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        let quantizer = first_fitting([8].into_iter().chain(1..=64), |width| settings.shape(width))?;
        Ok(BuildContext { quantizer, ..context })
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynQuantizer, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynQuantizer, context: &BuildContext, batch: usize, draw: Draw) -> Outputs {
        let quantized = model.quantize(latents(context, batch), draw);
        let outputs = Outputs::default().int("tokens", quantized.tokens).float("embeddings", quantized.embeddings);
        quantized.losses.into_iter().fold(outputs, |outputs, term| outputs.float(term.name, term.value))
    }
}

fn latents(context: &BuildContext, batch: usize) -> Tensor<3> {
    normal("latents", [batch, context.latents.tokens, context.quantizer.code_dim], context)
}

/// Tokens, embeddings, losses and codebook have the shapes that settings and quantizer promise, for any batch.
///
/// # Panics
/// When they do not, or are not finite.
pub fn shapes_are_as_promised(trial: &Trial<Quantizer>) {
    let (model, what) = (trial.model(1).no_grad(), trial.what());
    let (promised, tokens) = (trial.context.quantizer, trial.context.latents.tokens);
    assert_eq!(model.vocab_size(), promised.vocab_size, "`vocab_size()` of {what} against its settings");
    assert_eq!(model.code_dim(), promised.code_dim, "`code_dim()` of {what} against its settings");
    let codebook = model.codebook().map(|codes| codes.dims());
    let listed = promised.codebook.then_some([promised.vocab_size, promised.code_dim]);
    assert_eq!(codebook, listed, "codebook [vocab, code_dim] of {what}, found left, promised right");
    for batch in [1, 3] {
        let quantized = model.quantize(latents(&trial.context, batch), Draw::Deterministic);
        let embedded = [batch, tokens, promised.code_dim];
        assert_eq!(quantized.tokens.dims(), [batch, tokens], "tokens of {what}");
        assert_eq!(quantized.embeddings.dims(), embedded, "embeddings of {what}");
        assert_eq!(model.dequantize(quantized.tokens).dims(), embedded, "`dequantize` of {what}");
        for term in quantized.losses {
            let values = to_host(term.value);
            assert_eq!(values.len(), 1, "values of the loss `{}` of {what}", term.name);
            assert_finite(&format!("loss `{}` of {what}", term.name), &values);
        }
    }
}

/// Tokens are codes: not negative, and below the vocabulary size.
///
/// # Panics
/// When one is not.
pub fn tokens_are_in_range(trial: &Trial<Quantizer>) {
    let (model, vocab) = (trial.model(1).no_grad(), trial.context.quantizer.vocab_size);
    // far outside the usual range of latents too
    for scale in [0.1, 1.0, 100.0] {
        for draw in [Draw::Deterministic, Draw::Stream(Stream::new(3))] {
            let quantized = model.quantize(latents(&trial.context, 3).mul_scalar(scale), draw);
            assert_in_range(&trial.what(), quantized.tokens, vocab);
        }
    }
}

/// Requires tokens below `vocab`.
///
/// # Panics
/// When one is not, or is negative.
pub fn assert_in_range(what: &str, tokens: Tensor<2, Int>, vocab: usize) {
    for token in ints_to_host(tokens) {
        assert!((0..vocab as i64).contains(&token), "{what} gave token {token}; expected 0 to {}", vocab - 1);
    }
}

/// The embeddings of tokens are those that `quantize` gave with them: what the decoder sees in training it sees in generation.
///
/// # Panics
/// When they differ by more than 1e-6.
pub fn tokens_give_the_embeddings_back(trial: &Trial<Quantizer>) {
    let model = trial.model(1).no_grad();
    for draw in [Draw::Deterministic, Draw::Stream(Stream::new(3))] {
        let quantized = model.quantize(latents(&trial.context, 2), draw);
        let what = format!("`dequantize(tokens)` of {} against the embeddings of `quantize` ({draw:?})", trial.what());
        assert_close(&what, &to_host(quantized.embeddings), &to_host(model.dequantize(quantized.tokens)), 1e-6);
    }
}

/// A restarted code is where its latent is: the latent chooses it from then on. Quantizers whose codes cannot be moved change nothing.
///
/// # Panics
/// When another code is chosen, another code has moved, or the parameters are no longer learned.
pub fn a_restarted_code_is_chosen_by_its_latent(trial: &Trial<Quantizer>) {
    let mut model = trial.model(1);
    let (what, before) = (trial.what(), model.codebook().map(to_host));
    let (dim, codes) = (trial.context.quantizer.code_dim, [1, 0]);
    let latents = normal("restart", [1, codes.len(), dim], &trial.context);
    let moved = model.restart(&codes, latents.clone().squeeze_dim(0));
    let after = model.codebook().map(to_host);
    if !moved {
        assert_eq!(before, after, "codes of {what}, which says that none was moved");
        return;
    }
    assert_eq!(crate::params::list(&model), crate::params::list(&trial.model(1)), "parameters of {what}");
    let (before, after) = (before.expect("moved codes can be listed"), after.expect("moved codes can be listed"));
    assert_eq!(before[2 * dim..], after[2 * dim..], "codes of {what} that were not restarted");
    let frozen = model.clone().no_grad();
    let chosen = ints_to_host(frozen.quantize(latents, Draw::Deterministic).tokens);
    assert_eq!(chosen, codes.map(|code| code as i64), "codes that the latents choose in {what}");
    let input = normal("latents", [1, trial.context.latents.tokens, dim], &trial.context).require_grad();
    let quantized = model.quantize(input.clone(), Draw::Stream(Stream::new(3)));
    let outputs = quantized.losses.into_iter().fold(Outputs::default(), |outputs, term| outputs.float(term.name, term.value));
    assert_reached(&format!("the latents of {what} after a restart"), &input, outputs);
}

/// The gradient of the embeddings goes straight through to the latents: without it the encoder learns nothing.
///
/// # Panics
/// When none arrives.
pub fn gradients_reach_the_latents(trial: &Trial<Quantizer>) {
    let input = latents(&trial.context, 2).require_grad();
    let quantized = nudged(trial.model(1)).quantize(input.clone(), Draw::Stream(Stream::new(3)));
    let outputs = Outputs::default().float("embeddings", quantized.embeddings);
    assert_reached(&format!("the latents that {} quantizes, from the embeddings", trial.what()), &input, outputs);
}
