//! The tokenizer's reconstruction loss with the critic's part, at a fixed or an adaptive weight.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use larp_traits::precision::linear_float32;
use larp_traits::tensor::{scalar, untracked};
use larp_traits::{Backend, DynDecoder, Tensor, params};

use crate::model::{Tokenized, Tokenizer};
use crate::pipeline::Weighting;
use crate::train::gradients::global_norm;
use crate::train::stage::Loss;

/// Largest ratio of the gradients, and what is added to the divisor (Esser et al., 2021, released code).
const LARGEST: f64 = 1e4;
const EPS: f64 = 1e-4;

/// The critic's part of the tokenizer's loss.
pub(in crate::train) struct Opposition<'a> {
    /// What the tokenizer loses to the critic, `[1]`.
    pub loss: &'a dyn Fn(Tensor<5>) -> Tensor<1>,
    /// Its weight, or the factor on the adaptive one.
    pub weight: f64,
    pub weighting: Weighting,
}

/// The loss `near` of a reconstruction with the critic's part added.
pub(in crate::train) fn opposed(
    model: &Tokenizer,
    tokenized: &Tokenized,
    near: &dyn Fn(Tensor<5>) -> Loss,
    opposition: Opposition<'_>,
) -> Loss {
    let Opposition { loss, weight, weighting } = opposition;
    let reconstruction = tokenized.reconstruction.clone();
    match (weighting, LastLayer::of(&model.decoder)) {
        (Weighting::Adaptive, Some(last)) => {
            // both losses on a reconstruction that is a leaf: their gradients there are known apart from each other
            let (near, of_near) = split(&reconstruction, near);
            let (against, of_critic) = split(&reconstruction, |leaf| Loss { total: loss(leaf), parts: Vec::new() });
            let input = untracked(linear_float32(&model.project_out, untracked(tokenized.quantized.embeddings.clone())));
            let norm = |gradient: &Tensor<5>| last.gradient_norm(input.clone(), gradient.clone());
            let weight = weight * (norm(&of_near) / (norm(&of_critic) + EPS)).min(LARGEST);
            let value = untracked(near.total) + untracked(against.total.clone()).mul_scalar(weight);
            let carrier = (reconstruction * (of_near + of_critic.mul_scalar(weight))).sum();
            joined(carrier.clone() - untracked(carrier) + value, near.parts, against.total, weight)
        }
        _ => {
            let near = near(reconstruction.clone());
            let against = loss(reconstruction);
            joined(near.total + against.clone().mul_scalar(weight), near.parts, against, weight)
        }
    }
}

fn joined(total: Tensor<1>, mut parts: Vec<(&'static str, Tensor<1>)>, against: Tensor<1>, weight: f64) -> Loss {
    parts.push(("adversarial_weight", against.full_like(weight)));
    parts.push(("adversarial_loss", against));
    Loss { total, parts }
}

/// A loss of the reconstruction alone, and its gradient there.
fn split(reconstruction: &Tensor<5>, loss: impl Fn(Tensor<5>) -> Loss) -> (Loss, Tensor<5>) {
    let leaf = untracked(reconstruction.clone()).require_grad();
    let Loss { total, parts } = loss(leaf.clone());
    let gradient = leaf.grad(&total.backward()).map_or_else(|| untracked(reconstruction.zeros_like()), Tensor::from_inner);
    (Loss { total: untracked(total), parts }, gradient)
}

/// A decoder of which the last layer's weight alone has a gradient.
struct LastLayer {
    decoder: DynDecoder,
}

impl LastLayer {
    fn of(decoder: &DynDecoder) -> Option<Self> {
        let path = decoder.last_layer()?;
        let id = params::list(decoder).into_iter().find(|param| param.path == path)?.id;
        Some(Self { decoder: decoder.clone().no_grad().map(&mut Only(id)) })
    }

    /// Norm of the weight's gradient, for a loss whose gradient at the output is known.
    fn gradient_norm(&self, input: Tensor<3>, at_output: Tensor<5>) -> f64 {
        let loss = (self.decoder.decode(input) * at_output).sum();
        global_norm(&self.decoder, &GradientsParams::from_grads(loss.backward(), &self.decoder))
    }
}

struct Only(ParamId);

impl ModuleMapper<Backend> for Only {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.id == self.0 { param.map(|value| untracked(value).require_grad()) } else { param }
    }
}

/// Whether losses can be balanced at the last layer of this decoder.
pub(super) fn has_last_layer(decoder: &DynDecoder) -> bool {
    decoder.last_layer().is_some_and(|path| params::list(decoder).iter().any(|param| param.path == path))
}

/// The value of a loss, for the log.
pub(super) fn number(value: Tensor<1>) -> f64 {
    f64::from(scalar(value))
}
