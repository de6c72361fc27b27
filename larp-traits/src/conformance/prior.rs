//! Priors.

use super::compare::assert_finite;
use super::gradients::{assert_reached, is_tracked, nudged};
use super::trial::{normal, tokens};
use super::{Outputs, Subject, Trial};
use crate::tensor::{Tensor, to_host};
use crate::{BuildContext, Draw, DynPrior, Kind, PriorLoss, PriorSettings, Progress, Quantized, SettingsError, Stream};

/// The kind.
pub struct Prior;

impl Subject for Prior {
    const KIND: Kind = Kind::Prior;
    type Settings = Box<dyn PriorSettings>;
    type Model = DynPrior;

    fn fit(_: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        Ok(context)
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynPrior, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynPrior, context: &BuildContext, batch: usize, draw: Draw) -> Outputs {
        let loss = nll(model, &sequence(context, batch), context, HALF_WAY, draw);
        Outputs::default().float("nll", loss.nll).float("accuracy", loss.accuracy)
    }
}

const HALF_WAY: Progress = Progress { step: 5, total: 10 };

fn codebook(context: &BuildContext) -> Tensor<2> {
    normal("codebook", [context.quantizer.vocab_size, context.quantizer.code_dim], context)
}

/// Tokens and their rows of the codebook.
fn sequence(context: &BuildContext, batch: usize) -> Quantized {
    let tokens = tokens(context, batch);
    let rows = codebook(context).select(0, tokens.clone().flatten(0, 1));
    let embeddings = rows.reshape([batch, context.latents.tokens, context.quantizer.code_dim]);
    Quantized { tokens, embeddings, losses: Vec::new() }
}

fn nll(model: &DynPrior, sequence: &Quantized, context: &BuildContext, at: Progress, draw: Draw) -> PriorLoss {
    model.nll(sequence, codebook(context), at, draw)
}

/// Loss and accuracy are one finite number each at the start, half-way and at the end, for any batch.
///
/// # Panics
/// When they are not, the loss is negative, or the accuracy is no share or has a graph.
pub fn the_loss_is_a_finite_number(trial: &Trial<Prior>) {
    let (model, what) = (trial.model(1), trial.what());
    for (batch, step) in [(1, 0), (3, 5), (3, 10)] {
        for draw in [Draw::Deterministic, Draw::Stream(Stream::new(3))] {
            let at = Progress { step, total: 10 };
            let loss = nll(&model, &sequence(&trial.context, batch), &trial.context, at, draw);
            assert_loss(&format!("{what} at step {step} of 10"), loss.nll, loss.accuracy);
        }
    }
}

/// Requires a likelihood loss: finite, not negative, and an accuracy in [0, 1] without a graph.
///
/// # Panics
/// When it is not.
pub fn assert_loss(what: &str, nll: Tensor<1>, accuracy: Tensor<1>) {
    assert!(!is_tracked(accuracy.clone()), "the accuracy of {what} has a graph; `detach` it");
    let (nll, accuracy) = (to_host(nll), to_host(accuracy));
    assert_eq!([nll.len(), accuracy.len()], [1, 1], "number of values of `nll` and of `accuracy` of {what}");
    assert_finite(&format!("the nll of {what}"), &nll);
    assert!(nll[0] >= 0.0, "the nll of {what} is {}; a likelihood of tokens is at most 1", nll[0]);
    assert!((0.0..=1.0).contains(&accuracy[0]), "the accuracy of {what} is {}; expected a share", accuracy[0]);
}

/// The prior shapes the tokenizer: its loss has a gradient in the embeddings of the sequence.
///
/// # Panics
/// When none arrives.
pub fn gradients_reach_the_embeddings(trial: &Trial<Prior>) {
    let mut sequence = sequence(&trial.context, 2);
    let input = sequence.embeddings.require_grad();
    sequence.embeddings = input.clone();
    let loss = nll(&nudged(trial.model(1)), &sequence, &trial.context, HALF_WAY, Draw::Stream(Stream::new(3)));
    assert_reached(&format!("the embeddings whose prior is {}", trial.what()), &input, Outputs::default().float("nll", loss.nll));
}
