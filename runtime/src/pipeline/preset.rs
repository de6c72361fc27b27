//! One side, the paper's or the released code's, of everything on which they differ.

use larp_traits::deviation::{Deviation, deviations};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::value::{find, number};
use super::{Pipeline, PipelineError};

// What the runtime itself decides; plugins submit theirs beside their settings.
larp_traits::deviation!(
    1,
    "the prior's learning rate over the tokenizer's (x50 has no effect in the released code)",
    "train.tokenizer.prior_learning_rate_multiplier": "50.0", "1.0"
);
larp_traits::deviation!(2, "width of the codes", "bottleneck.code_dim": "8", "16");
larp_traits::deviation!(3, "Adam's betas for the tokenizer", "train.tokenizer.optimizer.betas": "[0.9, 0.95]", "[0.5, 0.9]");
larp_traits::deviation!(
    5,
    "horizontal flip of training clips (configured but never applied in the released code)",
    ("data.type", "video"),
    "data.horizontal_flip": "true", "false"
);
larp_traits::deviation!(3, "Adam's betas for the critic", ("critic.type", "*"), "train.critic.betas": "[0.9, 0.95]", "[0.5, 0.9]");
larp_traits::deviation!(
    7,
    "how often LeCam's weight is multiplied in",
    ("critic.type", "*"),
    "train.critic.lecam.weight_applied": "\"once\"", "\"twice\""
);
larp_traits::deviation!(
    11,
    "start of the critic, in steps (counted in epochs in the released code; the first one in both)",
    ("critic.type", "*"),
    "train.critic.start": "0", "0"
);
larp_traits::deviation!(
    12,
    "the critic's loss: noise on both targets (the paper leaves it open)",
    ("critic.type", "*"),
    "train.critic.loss": "\"non-saturating-smooth\"", "\"non-saturating-smooth\""
);

/// Whose choices a pipeline takes where it says nothing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Those of the paper.
    Paper,
    /// Those of the code that its authors released.
    Released,
}

/// The side that a setting is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The paper's value.
    Paper,
    /// The released code's value.
    Released,
    /// The two agree, and so does the pipeline.
    Both,
    /// A value of its own.
    Neither,
}

/// A setting on which paper and released code may differ, in one pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingSide {
    /// Number in the list of departures.
    pub item: u8,
    /// What it is about.
    pub title: &'static str,
    /// The dotted key.
    pub key: &'static str,
    /// The pipeline's value.
    pub value: Value,
    /// The paper's.
    pub paper: Value,
    /// The released code's.
    pub released: Value,
    /// The side.
    pub side: Side,
}

/// Sets what `table` does not say itself to the values of its `preset`, if it has one.
pub(super) fn apply(table: &mut Table) {
    let preset = match table.get("preset").and_then(Value::as_str) {
        Some("paper") => Preset::Paper,
        Some("released") => Preset::Released,
        // another value is refused when the file is read
        _ => return,
    };
    for deviation in deviations().into_iter().filter(|deviation| matters(deviation, table)).collect::<Vec<_>>() {
        for setting in deviation.settings {
            let value = if preset == Preset::Paper { setting.paper } else { setting.released };
            set_missing(table, setting.key, parse(value));
        }
    }
}

impl Pipeline {
    /// The settings on which paper and released code may differ, by item, with the side that each is on. Those of parts that the
    /// pipeline does not have are left out.
    ///
    /// # Errors
    /// When the settings cannot be written as TOML.
    pub fn preset_sides(&self) -> Result<Vec<SettingSide>, PipelineError> {
        let table = Table::try_from(self).map_err(|error| PipelineError::Toml {
            place: format!("the pipeline `{}`", self.name),
            message: error.to_string(),
        })?;
        Ok(sides(&table, deviations()))
    }
}

/// The side that each setting of `deviations` is on in `table`, where it has it.
pub(crate) fn sides(table: &Table, deviations: impl IntoIterator<Item = &'static Deviation>) -> Vec<SettingSide> {
    let mut sides = Vec::new();
    for deviation in deviations.into_iter().filter(|deviation| matters(deviation, table)) {
        for setting in deviation.settings {
            let Some(value) = find(table, setting.key).cloned() else { continue };
            let (paper, released) = (parse(setting.paper), parse(setting.released));
            let side = match (equal(&value, &paper), equal(&value, &released)) {
                (true, true) => Side::Both,
                (true, false) => Side::Paper,
                (false, true) => Side::Released,
                (false, false) => Side::Neither,
            };
            sides.push(SettingSide {
                item: deviation.item,
                title: deviation.title,
                key: setting.key,
                value,
                paper,
                released,
                side,
            });
        }
    }
    sides
}

fn matters(deviation: &Deviation, table: &Table) -> bool {
    let has = |key, value| find(table, key).and_then(Value::as_str).is_some_and(|found| value == "*" || found == value);
    deviation.when.is_none_or(|(key, value)| has(key, value))
}

/// Sets `key` unless it is there; tables on the way are made.
fn set_missing(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(table.entry(key).or_insert(value)),
        Some((first, rest)) => {
            // a value where a table belongs is refused when the file is read
            if let Some(inner) = table.entry(first).or_insert_with(|| Value::Table(Table::new())).as_table_mut() {
                set_missing(inner, rest, value);
            }
        }
    }
}

fn parse(value: &str) -> Value {
    let mut table: Table = format!("v = {value}").parse().expect("a deviation's values are TOML");
    table.remove("v").expect("it was just written")
}

/// Equal as settings: `1` is `1.0`.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        _ => a == b || (number(a).is_some() && number(a) == number(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("valid")
    }

    #[test]
    fn a_preset_fills_what_the_file_leaves_open() {
        let mut values = table("preset = \"released\"\n[bottleneck]\ncode_dim = 4\n[data]\ntype = \"procedural\"");
        apply(&mut values);
        assert_eq!(find(&values, "bottleneck.code_dim"), Some(&Value::Integer(4)), "the file's own value stays");
        assert_eq!(find(&values, "train.tokenizer.prior_learning_rate_multiplier"), Some(&Value::Float(1.0)));
        assert_eq!(find(&values, "data.horizontal_flip"), None, "drawn clips have no flip");
    }

    #[test]
    fn what_belongs_to_a_part_matters_where_the_part_is() {
        let mut values = table("preset = \"released\"\n[critic]\ntype = \"any\"");
        apply(&mut values);
        assert_eq!(find(&values, "train.critic.lecam.weight_applied"), Some(&Value::String("twice".into())));
        let mut values = table("preset = \"released\"");
        apply(&mut values);
        assert_eq!(find(&values, "train.critic"), None);
    }

    #[test]
    fn without_a_preset_nothing_is_set() {
        let mut values = table("name = \"x\"");
        apply(&mut values);
        assert_eq!(values, table("name = \"x\""));
    }

    #[test]
    fn whole_numbers_equal_themselves() {
        assert!(equal(&parse("[1, 2.0]"), &parse("[1.0, 2]")));
        assert!(!equal(&parse("0.03"), &parse("1.0")));
    }
}
