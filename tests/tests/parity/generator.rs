//! The Llama-like generator.

use larp_plugins::generator::llama::{Llama, probabilities};
use larp_plugins::released::{GeneratorArguments, fill, generator};
use larp_traits::prelude::*;

use crate::case::Case;
use crate::compare::Comparison;

/// The differences between ours and a case.
pub fn check(case: &Case, device: &Device) -> Vec<String> {
    match load(case, device) {
        Ok((model, arguments)) => run(case, device, &model, &arguments),
        Err(problem) => vec![format!("{}: {problem}", case.name)],
    }
}

fn load(case: &Case, device: &Device) -> Result<(Llama, GeneratorArguments), Box<dyn std::error::Error>> {
    let arguments: GeneratorArguments = serde_json::from_value(case.info["model"].clone())?;
    let parts = arguments.parts()?;
    let model = Llama::new(&parts.generator, &parts.context(device))?;
    let parameters = generator::keys(&arguments).import(case.floats("state."))?;
    Ok((fill(model, parameters)?, arguments))
}

fn run(case: &Case, device: &Device, model: &Llama, arguments: &GeneratorArguments) -> Vec<String> {
    let mut compare = Comparison::new(case);
    compare.round_trip(&generator::keys(arguments));
    let tokens: Tensor<2, Int> = case.ints("in.tokens", device);
    let condition = if arguments.frame_prediction {
        // the last column is the separator, which the model adds by itself
        let prefix: Tensor<2, Int> = case.ints("in.cond", device);
        let length = prefix.dims()[1];
        Condition::Frames(prefix.slice_dim(1, 0..length - 1))
    } else {
        Condition::Classes(case.ints("in.cond", device))
    };
    compare.floats("out.logits", model.logits(tokens.clone(), &condition, Draw::Deterministic));
    let nll = model.nll(tokens, &condition, Draw::Deterministic).nll;
    compare.floats("out.nll", nll.clone());
    compare.gradients(model, nll, &generator::keys(arguments));

    for name in case.names("out.greedy") {
        let Some(cfg_scale) = guidance(name) else {
            compare.fail(name, "its name says no guidance");
            continue;
        };
        let sampling = Sampling { cfg_scale, ..Default::default() };
        compare.ints(name, model.generate(&condition, &sampling, Draw::Deterministic));
    }
    for name in case.names("out.filtered_probs") {
        let (Some((top_k, top_p)), Some(temperature)) = (filters(name), case.info["filter_temperature"].as_f64()) else {
            compare.fail(name, "no top-k, top-p or temperature");
            continue;
        };
        let sampling = Sampling { cfg_scale: 1.0, temperature, top_k, top_p };
        compare.floats(name, probabilities(case.input("in.filter_logits", device), &sampling));
    }
    compare.finish()
}

/// `out.greedy_cfg1.25`; without a number there is no guidance.
fn guidance(name: &str) -> Option<f64> {
    match name.strip_prefix("out.greedy")? {
        "" => Some(1.0),
        rest => rest.strip_prefix("_cfg")?.parse().ok(),
    }
}

/// `out.filtered_probs_k5_p0.8`.
fn filters(name: &str) -> Option<(usize, f64)> {
    let (top_k, top_p) = name.strip_prefix("out.filtered_probs_k")?.split_once("_p")?;
    Some((top_k.parse().ok()?, top_p.parse().ok()?))
}
