//! The ViT discriminator and its losses.

use larp_plugins::critic::vit::VitCritic;
use larp_plugins::released::{DiscriminatorArguments, discriminator, fill};
use larp_runtime::pipeline::{CriticLoss, Smoothing};
use larp_runtime::train::critic::{LeCam, Logits, critic_loss, tokenizer_loss};
use larp_traits::prelude::*;

use crate::case::Case;
use crate::compare::{Comparison, weighted};

/// The differences between ours and a case.
pub fn check(case: &Case, device: &Device) -> Vec<String> {
    match load(case, device) {
        Ok((model, arguments)) => run(case, device, &model, &arguments),
        Err(problem) => vec![format!("{}: {problem}", case.name)],
    }
}

fn load(case: &Case, device: &Device) -> Result<(VitCritic, DiscriminatorArguments), Box<dyn std::error::Error>> {
    let arguments: DiscriminatorArguments = serde_json::from_value(case.info["model"].clone())?;
    let model = VitCritic::new(&arguments.settings(), &arguments.context(device))?;
    let parameters = discriminator::keys(&arguments).import(case.floats("state."))?;
    Ok((fill(model, parameters)?, arguments))
}

fn run(case: &Case, device: &Device, model: &VitCritic, arguments: &DiscriminatorArguments) -> Vec<String> {
    let mut compare = Comparison::new(case);
    compare.round_trip(&discriminator::keys(arguments));
    let logits = Logits { real: model.score(case.input("in.real", device)), fake: model.score(case.input("in.fake", device)) };
    compare.floats("out.logits_real", logits.real.clone());
    compare.floats("out.logits_fake", logits.fake.clone());

    let of_critic = |loss| critic_loss(loss, Smoothing::default(), logits.clone(), Draw::Deterministic);
    let of_tokenizer = |loss| tokenizer_loss(loss, logits.fake.clone());
    compare.floats("out.ns_d", of_critic(CriticLoss::NonSaturating));
    compare.floats("out.ns_g", of_tokenizer(CriticLoss::NonSaturating));
    compare.floats("out.hinge_d", of_critic(CriticLoss::Hinge));
    compare.floats("out.hinge_g", of_tokenizer(CriticLoss::Hinge));
    let average = |name| f64::from(case.scalar(name));
    let lecam = LeCam { real: average("in.lecam_ema_real"), fake: average("in.lecam_ema_fake") };
    compare.floats("out.lecam", lecam.penalty(logits.clone()));

    let terms = [
        ("ns_d", Some(of_critic(CriticLoss::NonSaturating))),
        ("ns_g", Some(of_tokenizer(CriticLoss::NonSaturating))),
        ("hinge_d", Some(of_critic(CriticLoss::Hinge))),
        ("hinge_g", Some(of_tokenizer(CriticLoss::Hinge))),
        ("lecam", Some(lecam.penalty(logits.clone()))),
    ];
    match weighted(case.info["loss"].as_str().unwrap_or_default(), &terms) {
        Err(problem) => compare.fail("loss", problem),
        Ok(loss) => compare.gradients(model, loss, &discriminator::keys(arguments)),
    }
    compare.finish()
}
