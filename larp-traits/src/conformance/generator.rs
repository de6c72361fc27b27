//! Generators, from what they want to be told: a class or nothing, or the first frames.

use burn::module::Module as _;

use super::prior::assert_loss;
use super::quantizer::assert_in_range;
use super::trial::tokens;
use super::{Outputs, Subject, Trial};
use crate::tensor::{Int, Tensor};
use crate::{
    BuildContext, Condition, ConditionKind, Draw, DynGenerator, GeneratorSettings, Kind, Sampling, SettingsError, Stream,
};

/// The kind.
pub struct Generator;

impl Subject for Generator {
    const KIND: Kind = Kind::Generator;
    type Settings = Box<dyn GeneratorSettings>;
    type Model = DynGenerator;

    fn fit(_: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        Ok(context)
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynGenerator, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynGenerator, context: &BuildContext, batch: usize, draw: Draw) -> Outputs {
        let sampler = model.clone().no_grad();
        conditions(model, context, batch).into_iter().fold(Outputs::default(), |outputs, (name, condition)| {
            let loss = model.nll(tokens(context, batch), &condition, draw);
            let generated = sampler.generate(&condition, &Sampling::default(), draw);
            let outputs = outputs.float(format!("nll {name}"), loss.nll).float(format!("accuracy {name}"), loss.accuracy);
            outputs.int(format!("tokens {name}"), generated)
        })
    }
}

fn conditions(model: &DynGenerator, context: &BuildContext, batch: usize) -> Vec<(&'static str, Condition)> {
    if let ConditionKind::Frames(_) = model.condition() {
        // other tokens than those of the sequences
        return vec![("from frames", Condition::Frames(tokens(context, batch).flip([1])))];
    }
    let ids = Tensor::<1, Int>::arange(0..batch as i64, &context.device);
    let classes = ids.remainder_scalar(context.classes as i64);
    vec![("by class", Condition::Classes(classes)), ("unconditional", Condition::Unconditional(batch))]
}

/// Loss and accuracy are one finite number each, for any batch.
///
/// # Panics
/// When they are not, the loss is negative, or the accuracy is no share or has a graph.
pub fn the_loss_is_a_finite_number(trial: &Trial<Generator>) {
    let model = trial.model(1);
    for batch in [1, 3] {
        for (name, condition) in conditions(&model, &trial.context, batch) {
            for draw in [Draw::Deterministic, Draw::Stream(Stream::new(3))] {
                let loss = model.nll(tokens(&trial.context, batch), &condition, draw);
                assert_loss(&format!("{} {name}", trial.what()), loss.nll, loss.accuracy);
            }
        }
    }
}

/// Generated tokens are codes, with and without guidance, top-k and top-p.
///
/// # Panics
/// When one is out of range.
pub fn generated_tokens_are_in_range(trial: &Trial<Generator>) {
    let model = super::gradients::nudged(trial.model(1)).no_grad();
    let plain = Sampling { cfg_scale: 1.0, temperature: 1.0, top_k: 0, top_p: 1.0 };
    let narrow = Sampling { cfg_scale: 2.0, temperature: 0.7, top_k: 3, top_p: 0.8 };
    for sampling in [plain, Sampling::default(), narrow] {
        for (name, condition) in conditions(&model, &trial.context, 2) {
            let generated = model.generate(&condition, &sampling, Draw::Stream(Stream::new(3)));
            let what = format!("{} {name} with {sampling:?}", trial.what());
            assert_in_range(&what, generated, trial.context.quantizer.vocab_size);
        }
    }
}

/// Sequences have the length of the pipeline's, whatever they are generated from.
///
/// # Panics
/// When they do not.
pub fn the_class_changes_no_shape(trial: &Trial<Generator>) {
    let model = trial.model(1).no_grad();
    for batch in [1, 3] {
        for (name, condition) in conditions(&model, &trial.context, batch) {
            let generated = model.generate(&condition, &Sampling::default(), Draw::Deterministic);
            assert_eq!(generated.dims(), [batch, trial.context.latents.tokens], "[batch, tokens] of {} {name}", trial.what());
        }
    }
}
