//! Warm-up and cosine.

use std::f64::consts::PI;

use crate::pipeline::OptimizerSettings;

/// Learning rate of a step, counted from 0: linear from 0 over the warm-up, then a cosine down to its final share.
pub(super) fn learning_rate(settings: &OptimizerSettings, step: usize, total: usize) -> f64 {
    let warmup = settings.warmup * total as f64;
    let step = step as f64 + 1.0;
    if step < warmup {
        return settings.learning_rate * step / warmup;
    }
    let done = (step - warmup) / (total as f64 - warmup).max(1.0);
    let cosine = 0.5 * (1.0 + (PI * done.min(1.0)).cos());
    settings.learning_rate * (settings.final_learning_rate + (1.0 - settings.final_learning_rate) * cosine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_to_the_full_rate_and_ends_at_the_floor() {
        let settings = OptimizerSettings { learning_rate: 2.0, warmup: 0.1, final_learning_rate: 0.01, ..Default::default() };
        let rate = |step| learning_rate(&settings, step, 100);
        assert!((rate(0) - 0.2).abs() < 1e-9 && (rate(9) - 2.0).abs() < 1e-3);
        assert!((rate(99) - 0.02).abs() < 1e-9);
        assert!((10..99).all(|step| rate(step) >= rate(step + 1)));
    }

    #[test]
    fn without_a_warm_up_the_first_step_has_almost_the_full_rate() {
        let settings = OptimizerSettings { learning_rate: 1.0, warmup: 0.0, ..Default::default() };
        assert!(learning_rate(&settings, 0, 1000) > 0.999);
    }
}
