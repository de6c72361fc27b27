//! The `[train]` part of a pipeline file.

use larp_traits::{Precision, SettingsError};
use serde::{Deserialize, Serialize};

use super::codes::{CollapseSettings, DeadCodes};
use super::critic::CriticTraining;

/// Training as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// Seed of parameters, order, windows and draws.
    pub seed: u64,
    /// Steps from one line of metrics to the next.
    pub log_every: usize,
    /// Steps from one evaluation to the next; the end of a stage always has one.
    pub evaluate_every: usize,
    /// Held-out clips of an evaluation.
    pub evaluation_clips: usize,
    /// Clips of an evaluation that are saved as pictures; for a generator from classes: of each class.
    pub sample_clips: usize,
    /// Steps from one checkpoint to the next; the end of a stage always has one.
    pub checkpoint_every: usize,
    /// Checkpoints of a stage that are kept.
    pub keep_checkpoints: usize,
    /// Threads that draw or decode clips.
    pub workers: usize,
    /// Threads that compute the passes of a step (its `accumulation`) at once; the numbers do not depend on it. On a CPU whose
    /// backend leaves cores idle, several small passes are faster than a large one.
    pub threads: usize,
    /// What the transformers compute in while training: `float32`, `tf32` on CUDA (float32 with factors of products rounded), or `bf16` on
    /// libtorch and CUDA, where norms, quantizer, logits and losses stay float32. Parameters are float32 in any case, and so are
    /// evaluation and generation.
    pub precision: Precision,
    /// Steps in a row that are skipped for a loss or gradient that is no number before training stops; 0 is never.
    pub max_skipped_in_a_row: usize,
    /// When to warn of codes that fall out of use.
    pub collapse: CollapseSettings,
    /// The first stage.
    pub tokenizer: TokenizerTraining,
    /// The critic beside the first stage.
    pub critic: CriticTraining,
    /// The second stage.
    pub generator: GeneratorTraining,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            seed: 0,
            log_every: 10,
            evaluate_every: 1000,
            evaluation_clips: 64,
            sample_clips: 8,
            checkpoint_every: 1000,
            keep_checkpoints: 2,
            workers: 2,
            threads: 1,
            precision: Precision::default(),
            max_skipped_in_a_row: 10,
            collapse: CollapseSettings::default(),
            tokenizer: TokenizerTraining::default(),
            critic: CriticTraining::default(),
            generator: GeneratorTraining::default(),
        }
    }
}

/// The optimiser: Adam, or AdamW with a weight decay, as PyTorch defines them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSettings {
    /// Learning rate after the warm-up.
    pub learning_rate: f64,
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay of AdamW; 0 is Adam.
    pub weight_decay: f64,
    /// Share of all steps that warm up linearly from 0.
    pub warmup: f64,
    /// Where the cosine ends, as a share of the learning rate.
    pub final_learning_rate: f64,
    /// Largest norm of all gradients together; 0 does not clip.
    pub clip_norm: f64,
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self {
            learning_rate: 1e-4,
            betas: [0.9, 0.95],
            eps: 1e-8,
            weight_decay: 0.0,
            warmup: 0.0,
            final_learning_rate: 0.01,
            clip_norm: 0.0,
        }
    }
}

/// Training of the tokenizer with its prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerTraining {
    /// Number of optimiser steps.
    pub steps: usize,
    /// Clips of one forward pass.
    pub batch_size: usize,
    /// Forward passes of one step: a step sees `batch_size * accumulation` clips.
    pub accumulation: usize,
    /// The optimiser.
    pub optimizer: OptimizerSettings,
    /// The prior's learning rate over that of the tokenizer: 50 in the paper (SPEC.md, departure 1).
    pub prior_learning_rate_multiplier: f64,
    /// Decay of the exponential moving average of the parameters that evaluation and generation use; 0 is none.
    pub ema_decay: f64,
    /// Restart of codes that are not used.
    pub dead_codes: DeadCodes,
}

impl Default for TokenizerTraining {
    fn default() -> Self {
        Self {
            steps: 500_000,
            batch_size: 64,
            accumulation: 1,
            optimizer: OptimizerSettings { warmup: 8.0 / 75.0, ..OptimizerSettings::default() },
            prior_learning_rate_multiplier: 50.0,
            ema_decay: 0.0,
            dead_codes: DeadCodes::default(),
        }
    }
}

/// Training of the generator on the tokenizer's tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorTraining {
    /// Number of optimiser steps.
    pub steps: usize,
    /// Sequences of one forward pass.
    pub batch_size: usize,
    /// Forward passes of one step.
    pub accumulation: usize,
    /// The optimiser.
    pub optimizer: OptimizerSettings,
    /// Decay of the exponential moving average of the parameters; 0 is none.
    pub ema_decay: f64,
    /// Training clips that are tokenized once and trained on again and again; 0 is each clip of the split once. More than the split
    /// has gives further random windows of the same files.
    pub cached_clips: usize,
    /// Held-out clips that an evaluation predicts from their first frames; for frame prediction.
    pub predicted_clips: usize,
}

impl Default for GeneratorTraining {
    fn default() -> Self {
        Self {
            steps: 300_000,
            batch_size: 32,
            accumulation: 1,
            optimizer: OptimizerSettings {
                learning_rate: 6e-4,
                weight_decay: 0.05,
                warmup: 0.004,
                ..OptimizerSettings::default()
            },
            ema_decay: 0.0,
            cached_clips: 0,
            predicted_clips: 32,
        }
    }
}

impl Train {
    /// Checks the numbers that may not be 0.
    ///
    /// # Errors
    /// When one is, or a decay is not below 1.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.critic.check()?;
        let at_least_one = [
            ("log_every", self.log_every),
            ("evaluate_every", self.evaluate_every),
            ("evaluation_clips", self.evaluation_clips),
            ("checkpoint_every", self.checkpoint_every),
            ("keep_checkpoints", self.keep_checkpoints),
            ("workers", self.workers),
            ("threads", self.threads),
            ("tokenizer.batch_size", self.tokenizer.batch_size),
            ("tokenizer.accumulation", self.tokenizer.accumulation),
            ("generator.batch_size", self.generator.batch_size),
            ("generator.accumulation", self.generator.accumulation),
            ("generator.predicted_clips", self.generator.predicted_clips),
        ];
        if let Some((key, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return Err(SettingsError::value(format!("train.{key}"), 0, "it must be at least 1"));
        }
        self.collapse.check()?;
        for (stage, optimizer, ema) in [
            ("tokenizer", &self.tokenizer.optimizer, self.tokenizer.ema_decay),
            ("generator", &self.generator.optimizer, self.generator.ema_decay),
        ] {
            if !(0.0..1.0).contains(&ema) {
                return Err(SettingsError::value(format!("train.{stage}.ema_decay"), ema, "it must be from 0 to below 1"));
            }
            if !optimizer.learning_rate.is_finite() || optimizer.learning_rate < 0.0 {
                let key = format!("train.{stage}.optimizer.learning_rate");
                return Err(SettingsError::value(key, optimizer.learning_rate, "it must be 0 or more"));
            }
            if !(0.0..=1.0).contains(&optimizer.warmup) {
                let key = format!("train.{stage}.optimizer.warmup");
                return Err(SettingsError::value(key, optimizer.warmup, "it is a share of the steps, from 0 to 1"));
            }
            if let Some(beta) = optimizer.betas.iter().find(|beta| !(0.0..1.0).contains(*beta)) {
                return Err(SettingsError::value(
                    format!("train.{stage}.optimizer.betas"),
                    beta,
                    "they must be from 0 to below 1",
                ));
            }
        }
        Ok(())
    }
}
