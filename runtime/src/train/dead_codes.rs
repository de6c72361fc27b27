//! Codes that no latent chooses are put where recent latents are (Dhariwal et al., 2020, Jukebox, section 3.1: "random restart").
//!
//! The counts since the last restart are part of a checkpoint, and the latents are those of the step at hand, so a resumed run
//! restarts the codes that an uninterrupted one does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use larp_traits::tensor::{ints_to_host, untracked};
use larp_traits::{Draw, Stream, Tensor};
use serde::{Deserialize, Serialize};

use crate::RuntimeError;
use crate::data::random::permutation;
use crate::model::{Tokenized, Tokenizer};
use crate::pipeline::DeadCodes;

/// Uses of each code since the last restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Uses(Vec<u64>);

/// Counts codes while training and restarts the dead ones.
#[derive(Debug)]
pub(super) struct DeadCodeWatch {
    settings: DeadCodes,
    stream: Stream,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    uses: Uses,
    /// What the passes of the step at hand saw, by their streams: threads may finish in any order.
    step: BTreeMap<u64, Pass>,
}

#[derive(Debug)]
struct Pass {
    tokens: Vec<i64>,
    latents: Option<Tensor<2>>,
}

impl DeadCodeWatch {
    pub fn new(settings: DeadCodes, seed: u64) -> Self {
        Self { settings, stream: Stream::new(seed).fork("dead codes"), seen: Mutex::default() }
    }

    /// Takes up the counts of a checkpoint.
    ///
    /// # Errors
    /// When the quantizer's codes cannot be moved.
    pub fn start(&self, model: &Tokenizer, uses: Option<Uses>) -> Result<(), RuntimeError> {
        if self.settings.every == 0 {
            return Ok(());
        }
        let (device, dim) = (larp_traits::burn::module::Module::devices(model).remove(0), model.quantizer.code_dim());
        if !model.quantizer.clone().restart(&[0], Tensor::ones([1, dim], &device)) {
            let message = "the quantizer has no codes that could be restarted; set `train.tokenizer.dead_codes.every = 0`";
            return Err(RuntimeError::Request(message.into()));
        }
        let vocab = model.quantizer.vocab_size();
        self.seen().uses = uses.filter(|uses| uses.0.len() == vocab).unwrap_or_else(|| Uses(vec![0; vocab]));
        Ok(())
    }

    /// The counts, for a checkpoint; none while the setting is off.
    pub fn uses(&self) -> Option<Uses> {
        (self.settings.every > 0).then(|| self.seen().uses.clone())
    }

    /// Sees one forward pass of a step, counted from 0.
    pub fn observe(&self, step: usize, draw: Draw, tokenized: &Tokenized) {
        let (Draw::Stream(stream), true) = (draw, self.settings.every > 0) else { return };
        let tokens = ints_to_host(tokenized.quantized.tokens.clone());
        let latents = self.is_due(step + 1).then(|| {
            let [batch, count, dim] = tokenized.latents.dims();
            untracked(tokenized.latents.clone()).reshape([batch * count, dim])
        });
        self.seen().step.insert(stream.seed(), Pass { tokens, latents });
    }

    /// Forgets a step that was skipped: its latents may be no numbers.
    pub fn skip(&self) {
        self.seen().step.clear();
    }

    /// Ends a step, the `step`-th counted from 1: counts its codes and restarts the dead ones, in every model alike, when it is time.
    pub fn finish(&self, step: usize, models: &mut [&mut Tokenizer]) {
        let mut seen = self.seen();
        let passes = std::mem::take(&mut seen.step);
        for &token in passes.values().flat_map(|pass| &pass.tokens) {
            seen.uses.0[token as usize] += 1;
        }
        let latents: Vec<_> = passes.into_values().filter_map(|pass| pass.latents).collect();
        if !self.is_due(step) || latents.is_empty() {
            return;
        }
        let uses = std::mem::take(&mut seen.uses.0);
        seen.uses.0 = vec![0; uses.len()];
        let latents = Tensor::cat(latents, 0);
        let (dead, rows) = self.choose(step as u64, &uses, latents.dims()[0]);
        if dead.is_empty() {
            return;
        }
        tracing::info!("step {step}: {} of {} codes restarted", dead.len(), uses.len());
        let rows = larp_traits::burn::tensor::TensorData::new(rows, [dead.len()]);
        let latents = latents.clone().select(0, Tensor::<1, larp_traits::Int>::from_data(rows, &latents.device()));
        for model in models {
            model.quantizer.restart(&dead, latents.clone());
        }
    }

    /// Dead codes, and for each the latent that it goes to: no latent twice, so at most as many codes as there are latents.
    fn choose(&self, step: u64, uses: &[u64], latents: usize) -> (Vec<usize>, Vec<i32>) {
        let dead: Vec<usize> = (0..uses.len()).filter(|&code| uses[code] < self.settings.min_uses as u64).collect();
        let seed = |purpose| self.stream.fork(purpose).seed();
        let order = permutation(seed("codes"), step, dead.len());
        let rows = permutation(seed("latents"), step, latents);
        order.into_iter().zip(rows).map(|(code, row)| (dead[code], row as i32)).unzip()
    }

    fn is_due(&self, step: usize) -> bool {
        step.is_multiple_of(self.settings.every)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(min_uses: usize) -> DeadCodeWatch {
        DeadCodeWatch::new(DeadCodes { every: 10, min_uses }, 1)
    }

    #[test]
    fn codes_below_the_least_uses_go_to_different_latents() {
        let (mut dead, mut rows) = watch(2).choose(10, &[5, 1, 0, 2, 0], 100);
        dead.sort_unstable();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!((dead, rows.len()), (vec![1, 2, 4], 3));
    }

    #[test]
    fn with_few_latents_a_part_of_the_dead_codes_is_restarted_and_another_one_the_next_time() {
        let uses = vec![0; 50];
        let first = watch(1).choose(10, &uses, 5);
        assert_eq!((first.0.len(), first.1.len()), (5, 5));
        assert_eq!(first, watch(1).choose(10, &uses, 5), "it depends on seed and step alone");
        assert_ne!(first.0, watch(1).choose(20, &uses, 5).0);
    }
}
