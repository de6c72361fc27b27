//! Settings and pipeline files.

use super::{Subject, Trial};
use crate::registry::Registry;

/// Settings written to a pipeline file and read back are the same settings.
///
/// # Panics
/// When a key is lost, added or changed on the way.
pub fn settings_survive_a_pipeline_file<K: Subject>(trial: &Trial<K>) {
    let first = text(&trial.settings);
    let again = first.parse().unwrap_or_else(|error| panic!("settings wrote a file that is not TOML: {error}\n{first}"));
    let again = parse::<K>(again).unwrap_or_else(|error| panic!("settings wrote a file that they refuse: {error}\n{first}"));
    assert_eq!(first, text(&again), "settings of {}: written, read and written again", trial.what());
    let written: toml::Table = first.parse().unwrap_or_default();
    for key in trial.table.keys() {
        assert!(written.contains_key(key), "settings of {}: `{key}` was read but not written", trial.what());
    }
}

/// A misspelt key is an error, not silence.
///
/// # Panics
/// When the settings take a key that they do not have.
pub fn an_unknown_key_is_refused<K: Subject>(trial: &Trial<K>) {
    let mut table = trial.table.clone();
    table.insert("no-such-key".into(), 1.into());
    let taken = parse::<K>(table).is_ok();
    assert!(!taken, "settings of {} take the unknown key `no-such-key`; add `#[serde(deny_unknown_fields)]`", trial.what());
}

fn parse<K: Subject>(table: toml::Table) -> Result<K::Settings, crate::RegistryError> {
    Registry::global()?.settings(K::KIND, table)
}

fn text(settings: &impl serde::Serialize) -> String {
    toml::to_string(settings).unwrap_or_else(|error| panic!("settings cannot be written as TOML: {error}"))
}

/// `base` with the keys of `over`; tables within are merged.
pub(super) fn laid_over(mut base: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        let value = match (base.remove(&key), value) {
            // a table of another `type` has other keys: it replaces the old one
            (Some(toml::Value::Table(old)), toml::Value::Table(new))
                if new.get("type").is_none_or(|t| old.get("type") == Some(t)) =>
            {
                laid_over(old, new).into()
            }
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}
