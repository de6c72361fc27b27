//! The critic of a run with its optimiser: updated, saved and loaded beside the tokenizer.

use std::fs;
use std::path::Path;

use burn::module::Module as _;
use burn::optim::{GradientsAccumulator, GradientsParams};
use larp_traits::tensor::untracked;
use larp_traits::{Device, Draw, DynCritic, SettingsError, Tensor, state};
use serde::{Deserialize, Serialize};

use super::balance::{has_last_layer, number};
use super::{LeCam, Logits, critic_loss, gradient_penalty, tokenizer_loss};
use crate::RuntimeError;
use crate::pipeline::{CriticTraining, Pipeline, Weighting};
use crate::report::{read_json, write_json};
use crate::train::gradients::{clip, global_norm};
use crate::train::optimizer::Optimizer;

const CRITIC: &str = "critic.safetensors";
const OPTIMIZER: &str = "critic-optimizer.bin";
const STATE: &str = "critic.json";

/// What is known of a critic beside its tensors.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    updates: u64,
    lecam: LeCam,
}

/// One pass of an update: clips, their reconstructions, and where its noise is drawn from.
pub(in crate::train) struct Pair {
    pub real: Tensor<5>,
    pub fake: Tensor<5>,
    pub draw: Draw,
}

/// The critic on its way.
pub(in crate::train) struct Adversary {
    /// Taken while the optimiser changes it.
    critic: Option<DynCritic>,
    optimizer: Optimizer<DynCritic>,
    state: State,
    settings: CriticTraining,
    device: Device,
}

impl Adversary {
    /// The critic of a pipeline; `None` without one, or when its loss has no weight.
    pub fn new(pipeline: &Pipeline, device: &Device) -> Result<Option<Self>, RuntimeError> {
        let settings = pipeline.train.critic.clone();
        let Some(critic) = pipeline.build_critic(device)?.filter(|_| pipeline.losses.critic != 0.0) else { return Ok(None) };
        if settings.weighting == Weighting::Adaptive && !has_last_layer(&pipeline.outline_tokenizer(device)?.decoder) {
            let (decoder, hint) = (pipeline.decoder.typetag_name(), "it names no last layer; take `fixed`");
            let found = format!("the decoder `{decoder}`");
            let source = SettingsError::mismatch("`train.critic.weighting = \"adaptive\"`", found, hint);
            return Err(pipeline.settings_error(source).into());
        }
        let optimizer = Optimizer::new(&settings.optimizer(), &critic, |_| 1.0);
        Ok(Some(Self { critic: Some(critic), optimizer, state: State::default(), settings, device: device.clone() }))
    }

    /// Whether an update comes before this step of the tokenizer.
    pub fn is_due(&self, step: usize) -> bool {
        self.settings.is_due(step)
    }

    /// What the tokenizer loses to the critic as it is, from the step on in which its loss has that part.
    pub fn tokenizer_loss(&self, step: usize) -> Option<impl Fn(Tensor<5>) -> Tensor<1> + use<>> {
        let (critic, loss) = (self.critic().clone().no_grad(), self.settings.loss);
        let part = move |reconstruction| tokenizer_loss(loss, critic.score(reconstruction));
        (step >= self.settings.start.max(self.settings.loss_start)).then_some(part)
    }

    /// One update on the passes of a step; gives numbers for the log. An update whose loss or gradient is not finite is left out.
    pub fn update(&mut self, pairs: impl ExactSizeIterator<Item = Pair>, learning_rate: f64) -> Vec<(&'static str, f64)> {
        let mut critic = self.critic.take().expect("there between the updates");
        critic.refresh();
        let (share, mut accumulator) = (1.0 / pairs.len() as f64, GradientsAccumulator::new());
        let mut numbers: Vec<(&'static str, f64)> = Vec::new();
        for pair in pairs {
            let (total, parts) = self.loss(&critic, pair);
            accumulator.accumulate(&critic, GradientsParams::from_grads(total.mul_scalar(share).backward(), &critic));
            for (name, value) in parts {
                match numbers.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, sum)) => *sum += number(value) * share,
                    None => numbers.push((name, number(value) * share)),
                }
            }
        }
        let mut gradients = accumulator.grads();
        let norm = global_norm(&critic, &gradients);
        let finite = norm.is_finite() && numbers.iter().all(|(_, value)| value.is_finite());
        if finite {
            if self.settings.clip_norm > 0.0 {
                clip(&critic, &mut gradients, norm, self.settings.clip_norm);
            }
            let rate = learning_rate * self.settings.learning_rate_multiplier;
            critic = self.optimizer.step(critic, gradients, rate);
            let logit = |name| numbers.iter().find(|(known, _)| *known == name).map_or(0.0, |(_, value)| *value);
            self.state.lecam.update(logit("critic_real_logit"), logit("critic_fake_logit"), self.settings.lecam.decay);
            self.state.updates += 1;
            numbers.push(("critic_grad_norm", norm));
        } else {
            tracing::warn!("an update of the critic is left out: its loss or gradient is not finite");
            numbers.clear();
        }
        self.critic = Some(critic);
        numbers.push(("critic_skipped_updates", if finite { 0.0 } else { 1.0 }));
        numbers
    }

    /// The critic's loss of one pass, and its parts for the log.
    fn loss(&self, critic: &DynCritic, Pair { real, fake, draw }: Pair) -> (Tensor<1>, Vec<(&'static str, Tensor<1>)>) {
        let CriticTraining { loss, smoothing, lecam, r1, .. } = self.settings;
        let logits = Logits { real: critic.score(real.clone()), fake: critic.score(untracked(fake)) };
        let mut total = critic_loss(loss, smoothing, logits.clone(), draw);
        let mut parts = vec![
            ("critic_loss", total.clone()),
            ("critic_real_logit", logits.real.clone().mean()),
            ("critic_fake_logit", logits.fake.clone().mean()),
        ];
        if lecam.weight > 0.0 {
            let penalty = self.state.lecam.penalty(logits);
            parts.push(("lecam", penalty.clone()));
            total = total + penalty.mul_scalar(lecam.factor());
        }
        if r1.weight > 0.0 {
            let penalty = gradient_penalty(critic, real, r1.step);
            parts.push(("r1", penalty.value));
            total = total + penalty.surrogate.mul_scalar(r1.weight);
        }
        (total, parts)
    }

    /// Writes it into the folder of a checkpoint.
    pub fn save(&self, folder: &Path) -> Result<(), RuntimeError> {
        state::save_file(self.critic(), &folder.join(CRITIC))?;
        let path = folder.join(OPTIMIZER);
        let bytes = self.optimizer.to_bytes().map_err(RuntimeError::Request)?;
        fs::write(&path, bytes).map_err(RuntimeError::file("write", &path))?;
        Ok(write_json(&folder.join(STATE), &self.state)?)
    }

    /// Reads it back from a checkpoint. One that was made without a critic leaves it at its start.
    pub fn load(&mut self, folder: &Path) -> Result<(), RuntimeError> {
        if !folder.join(STATE).exists() {
            tracing::warn!("`{}` holds no critic; a new one starts", folder.display());
            return Ok(());
        }
        self.state = read_json(&folder.join(STATE))?;
        let mut critic = self.critic().clone();
        state::load_file(&mut critic, &folder.join(CRITIC))?;
        let path = folder.join(OPTIMIZER);
        let bytes = fs::read(&path).map_err(RuntimeError::file("read", &path))?;
        let optimizer = Optimizer::new(&self.settings.optimizer(), &critic, |_| 1.0);
        let loaded = optimizer.load_bytes(bytes, &self.device);
        self.optimizer = loaded.map_err(|message| RuntimeError::content(&path, message))?;
        self.critic = Some(critic);
        Ok(())
    }

    fn critic(&self) -> &DynCritic {
        self.critic.as_ref().expect("there between the updates")
    }
}
