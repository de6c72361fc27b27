//! Steps whose loss or gradient is no number are left out.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::checkpoint::newest;
use crate::RuntimeError;
use crate::report::Stage;

/// Counts what was left out. It is part of a checkpoint, so that a resumed run stops where an uninterrupted one does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watchdog {
    /// Steps skipped in all.
    pub skipped: usize,
    /// Steps skipped since the last one that counted.
    pub in_a_row: usize,
}

impl Watchdog {
    /// Whether a step may change the model; counts it when not.
    pub fn allows(&mut self, loss: f64, gradient_norm: f64) -> bool {
        if loss.is_finite() && gradient_norm.is_finite() {
            self.in_a_row = 0;
            return true;
        }
        self.skipped += 1;
        self.in_a_row += 1;
        false
    }
}

/// Why training of a stage stops.
pub(super) fn diverged(stage: Stage, step: usize, watchdog: Watchdog, run: &Path) -> RuntimeError {
    let checkpoint = newest(run, stage).ok().flatten().map(|checkpoint| checkpoint.path);
    RuntimeError::Diverged { stage, step, skipped: watchdog.in_a_row, checkpoint }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::numbers(1.0, 2.0, true)]
    #[case::nan_loss(f64::NAN, 2.0, false)]
    #[case::infinite_loss(f64::INFINITY, 2.0, false)]
    #[case::nan_gradient(1.0, f64::NAN, false)]
    #[case::infinite_gradient(1.0, f64::INFINITY, false)]
    fn only_numbers_are_allowed(#[case] loss: f64, #[case] norm: f64, #[case] allowed: bool) {
        assert_eq!(Watchdog::default().allows(loss, norm), allowed);
    }

    #[test]
    fn a_good_step_ends_the_row_but_not_the_count() {
        let mut watchdog = Watchdog::default();
        for loss in [f64::NAN, f64::NAN, 1.0, f64::NAN] {
            watchdog.allows(loss, 1.0);
        }
        assert_eq!((watchdog.skipped, watchdog.in_a_row), (3, 1));
    }
}
