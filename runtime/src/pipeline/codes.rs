//! Settings about codes that fall out of use.

use larp_traits::SettingsError;
use serde::{Deserialize, Serialize};

/// When to warn of a collapse of the codebook.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollapseSettings {
    /// Share of the codes that held-out clips should use at least; 0 never warns.
    pub usage: f64,
    /// Evaluations in a row below it that make a warning.
    pub evaluations: usize,
}

impl Default for CollapseSettings {
    fn default() -> Self {
        Self { usage: 0.05, evaluations: 3 }
    }
}

impl CollapseSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(0.0..=1.0).contains(&self.usage) {
            return Err(SettingsError::value("train.collapse.usage", self.usage, "it is a share of the codes, from 0 to 1"));
        }
        if self.evaluations == 0 {
            return Err(SettingsError::value("train.collapse.evaluations", 0, "it must be at least 1"));
        }
        Ok(())
    }
}

/// Restart of dead codes from recent latents; not in the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadCodes {
    /// Steps from one restart to the next, over which uses are counted; 0 never restarts.
    pub every: usize,
    /// Uses in that time below which a code is dead.
    pub min_uses: usize,
}

impl Default for DeadCodes {
    fn default() -> Self {
        Self { every: 0, min_uses: 1 }
    }
}
