//! Encoder, quantizer, decoder and prior.

use std::any::Any;

use larp_plugins::layers::lookup::l2_normalize;
use larp_plugins::layers::losses::next_token;
use larp_plugins::prior::continuous_ar::ContinuousAr;
use larp_plugins::quantizer::svq::Svq;
use larp_plugins::released::{NamedTensor, TokenizerArguments, TokenizerParts, fill, tokenizer};
use larp_traits::burn::nn::Linear;
use larp_traits::prelude::*;

use crate::case::Case;
use crate::compare::{Comparison, weighted};

/// Fields as in the runtime's tokenizer, on which these tests do not depend.
#[derive(Component, Debug)]
struct Tokenizer {
    encoder: DynEncoder,
    project_in: Linear<Backend>,
    quantizer: DynQuantizer,
    project_out: Linear<Backend>,
    decoder: DynDecoder,
    prior: Option<DynPrior>,
}

impl Tokenizer {
    fn build(parts: &TokenizerParts, device: &Device) -> Result<Self, SettingsError> {
        let context = parts.context(device)?;
        let encoder = parts.encoder.build(&context)?;
        let linear = |inputs, outputs| init::linear(inputs, outputs, true, Init::Zeros, device);
        let code_dim = parts.code_dim;
        Ok(Self {
            project_in: linear(encoder.latents().dim, code_dim),
            encoder,
            quantizer: parts.quantizer.build(&context)?,
            project_out: linear(code_dim, parts.decoder.dim),
            decoder: parts.decoder.build(&context)?,
            prior: parts.prior.as_ref().map(|prior| prior.build(&context)).transpose()?,
        })
    }
}

/// The differences between ours and a case.
pub fn check(case: &Case, device: &Device) -> Vec<String> {
    match load(case, device) {
        Ok((model, arguments)) => run(case, device, &model, &arguments),
        Err(problem) => vec![format!("{}: {problem}", case.name)],
    }
}

fn load(case: &Case, device: &Device) -> Result<(Tokenizer, TokenizerArguments), Box<dyn std::error::Error>> {
    let arguments: TokenizerArguments = serde_json::from_value(case.info["model"].clone())?;
    let state = case.floats("state.");
    let model = Tokenizer::build(&arguments.parts(&state)?, device)?;
    let parameters: Vec<NamedTensor> = tokenizer::keys(&arguments).import(state)?;
    Ok((fill(model, parameters)?, arguments))
}

fn run(case: &Case, device: &Device, model: &Tokenizer, arguments: &TokenizerArguments) -> Vec<String> {
    let mut compare = Comparison::new(case);
    compare.round_trip(&tokenizer::keys(arguments));
    let video: Tensor<5> = case.input("in.video", device);

    let latents = linear_float32(&model.project_in, model.encoder.encode(video.clone()));
    compare.floats("out.z_projected", latents.clone());
    if let Some(svq) = (&*model.quantizer as &dyn Any).downcast_ref::<Svq>() {
        let [batch, tokens, dim] = latents.dims();
        compare.floats("out.svq_probs", svq.probabilities(l2_normalize(latents.clone()).reshape([batch * tokens, dim])));
    }
    let quantized = model.quantizer.quantize(latents, Draw::Deterministic);
    compare.ints("out.tokens", quantized.tokens.clone());
    compare.floats("out.z_quantized", quantized.embeddings.clone());
    for (name, term) in [("out.loss_commit", "commitment"), ("out.loss_codebook", "codebook")] {
        if let Some(term) = quantized.losses.iter().find(|loss| loss.name == term) {
            compare.floats(name, term.value.clone());
        }
    }
    let quantizer_loss = quantized.loss().expect("these quantizers have losses");
    compare.floats("out.loss_quantizer", quantizer_loss.clone());

    let input = linear_float32(&model.project_out, quantized.embeddings.clone());
    compare.floats("out.decoder_input", input.clone());
    let reconstruction = model.decoder.decode(input);
    compare.floats("out.recon", reconstruction.clone());
    let l1 = (reconstruction - video).abs().mean();
    compare.floats("out.loss_l1", l1.clone());
    let embedded = linear_float32(&model.project_out, model.quantizer.dequantize(quantized.tokens.clone()));
    compare.floats("out.recon_from_tokens", model.decoder.decode(embedded));

    let prior = model.prior.as_ref().map(|prior| prior_nll(case, device, model, prior, &quantized, &mut compare));
    let terms = [("l1", Some(l1)), ("loss_quantizer", Some(quantizer_loss)), ("prior_nll", prior)];
    match weighted(case.info["loss"].as_str().unwrap_or_default(), &terms) {
        Err(problem) => compare.fail("loss", problem),
        Ok(loss) => {
            compare.floats("out.loss_total", loss.clone());
            compare.gradients(model, loss, &tokenizer::keys(arguments));
        }
    }
    compare.finish()
}

/// Both rounds with the replaced tokens of the case.
fn prior_nll(
    case: &Case,
    device: &Device,
    model: &Tokenizer,
    prior: &DynPrior,
    quantized: &Quantized,
    compare: &mut Comparison<'_>,
) -> Tensor<1> {
    let codebook = model.quantizer.codebook().expect("these quantizers have a codebook");
    let continuous = (&**prior as &dyn Any).downcast_ref::<ContinuousAr>().expect("the released prior");
    let sequence = quantized.embeddings.clone();
    let count = sequence.dims()[1];
    let labels = quantized.tokens.clone().slice_dim(1, 1..count);

    let predicted = continuous.predict(sequence.clone(), Draw::Deterministic);
    let first = sequence.clone().slice_dim(1, 0..1);
    compare.floats("out.prior_pred_round1", Tensor::cat(vec![first, predicted.clone()], 1));
    let logits = continuous.logits(predicted, codebook.clone());
    compare.floats("out.prior_logits_round1", logits.clone());
    let nll = next_token(logits, labels.clone()).nll;
    // what training calls is the same first round
    let once = prior.nll(quantized, codebook.clone(), Progress { step: 0, total: 1 }, Draw::Deterministic).nll;
    if (scalar(once.clone()) - scalar(nll.clone())).abs() > 1e-5 {
        compare.fail("Prior::nll", format!("{}, expected {}", scalar(once), scalar(nll.clone())));
    }

    let (drawn, replaced) = (case.ints("in.ss_tokens", device), case.ints("in.ss_mask", device));
    let mixed = continuous.mix(sequence, codebook.clone(), drawn, replaced);
    let logits = continuous.logits(continuous.predict(mixed, Draw::Deterministic), codebook);
    compare.floats("out.prior_logits_round2", logits.clone());
    let nll = (nll + next_token(logits, labels).nll).mul_scalar(0.5);
    compare.floats("out.prior_nll", nll.clone());
    nll
}
