//! How one pipeline differs from another, in few words.

use std::fmt;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// The dotted key; of a part that is another plugin or missing, the part.
    pub key: String,
    /// The value in the base.
    pub from: String,
    /// The value in the variant.
    pub to: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.key, self.from, self.to)
    }
}

/// What differs between two resolved pipelines, by key; their names and seeds do not count.
///
/// A part of another type is one difference by its name, beside those of the keys that both types have.
pub(super) fn differences(base: &Table, variant: &Table) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", base, variant, &mut found);
    found.retain(|difference| difference.key != "name" && difference.key != "train.seed");
    found
}

fn compare(prefix: &str, base: &Table, variant: &Table, found: &mut Vec<Difference>) {
    let types = (base.get("type"), variant.get("type"));
    let other_plugin = matches!(types, (Some(a), Some(b)) if a != b);
    if let (true, (Some(a), Some(b))) = (other_plugin, types) {
        found.push(Difference { key: prefix.into(), from: short(a), to: short(b) });
    }
    let mut names: Vec<&String> = base.keys().chain(variant.keys()).collect();
    names.sort();
    names.dedup();
    for name in names.into_iter().filter(|name| !(other_plugin && *name == "type")) {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match (base.get(name), variant.get(name)) {
            (Some(Value::Table(base)), Some(Value::Table(variant))) => compare(&key, base, variant, found),
            (Some(a), Some(b)) if a != b => found.push(Difference { key, from: short(a), to: short(b) }),
            // keys that only one of two plugins has say nothing beside the plugin's name
            (Some(a), None) if !other_plugin => found.push(Difference { key, from: short(a), to: "none".into() }),
            (None, Some(b)) if !other_plugin => found.push(Difference { key, from: "none".into(), to: short(b) }),
            _ => {}
        }
    }
}

/// A value; of a table its type, or how many keys it has.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Table(table) => match table.get("type").and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => value.to_string(),
        },
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("[a]\nx = 1", "[a]\nx = 1", "")]
    #[case::name_and_seed("name = \"a\"\n[train]\nseed = 1", "name = \"b\"\n[train]\nseed = 2", "")]
    #[case::a_value("[a.b]\nx = 1", "[a.b]\nx = 2.5", "a.b.x: 1 -> 2.5")]
    #[case::a_missing_part("[prior]\ntype = \"p\"\ndim = 3", "", "prior: p -> none")]
    #[case::another_plugin(
        "[q]\ntype = \"s\"\ndim = 3\nonly = 1",
        "[q]\ntype = \"v\"\ndim = 4\nown = true",
        "q: s -> v; q.dim: 3 -> 4"
    )]
    fn differences_are_short(#[case] base: &str, #[case] variant: &str, #[case] expected: &str) {
        let found = differences(&base.parse().unwrap(), &variant.parse().unwrap());
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(texts.join("; "), expected);
    }
}
