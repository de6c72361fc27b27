//! A codebook that falls out of use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::CollapseSettings;

/// Watches the code usage of evaluations; part of a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Collapse {
    /// Evaluations in a row in which it was too low.
    pub low_in_a_row: usize,
}

impl Collapse {
    /// Takes the numbers of an evaluation; gives a warning when usage has been low for as long as the settings say, once a time.
    pub fn evaluated(&mut self, values: &BTreeMap<String, f64>, settings: CollapseSettings) -> Option<String> {
        let &usage = values.get("code_usage")?;
        self.low_in_a_row = if usage < settings.usage { self.low_in_a_row + 1 } else { 0 };
        (settings.usage > 0.0 && self.low_in_a_row == settings.evaluations).then(|| {
            format!(
                "the codebook collapses: {:.1} % of the codes are in use, below the {:.1} % of `train.collapse.usage` in {} evaluations in \
                 a row; lower `train.tokenizer.optimizer.learning_rate`, raise `quantizer.entropy_weight` where the quantizer has it, set \
                 `bottleneck.norm = \"act-norm\"`, or restart dead codes with `train.tokenizer.dead_codes.every`",
                usage * 100.0,
                settings.usage * 100.0,
                settings.evaluations
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(usages: &[f64]) -> Vec<bool> {
        let settings = CollapseSettings { usage: 0.1, evaluations: 2 };
        let mut collapse = Collapse::default();
        usages.iter().map(|&usage| collapse.evaluated(&[("code_usage".to_owned(), usage)].into(), settings).is_some()).collect()
    }

    #[test]
    fn low_usage_warns_after_as_many_evaluations_as_set_and_once() {
        assert_eq!(warnings(&[0.05, 0.5, 0.05, 0.05, 0.05]), [false, false, false, true, false]);
    }

    #[test]
    fn it_warns_again_after_a_recovery() {
        assert_eq!(warnings(&[0.0, 0.0, 0.9, 0.0, 0.0]), [false, true, false, false, true]);
    }

    #[test]
    fn a_stage_without_codes_never_warns() {
        assert_eq!(Collapse::default().evaluated(&BTreeMap::new(), CollapseSettings { usage: 1.0, evaluations: 1 }), None);
    }
}
