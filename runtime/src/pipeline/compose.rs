//! Exchanging the parts of a pipeline by name.

use larp_traits::registry::{Kind, Registry};
use toml::{Table, Value};

use super::{PipelineError, Source};

/// What goes in the place of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The plugin of this name.
    Plugin(String),
    /// Nothing; for the kinds that are optional.
    None,
}

/// The parts to exchange and the values to set.
#[derive(Debug, Clone, Default)]
pub struct Composition {
    /// New parts.
    pub parts: Vec<(Kind, Part)>,
    /// `key=value` each.
    pub set: Vec<String>,
}

/// Exchanges parts of `base`. A new part starts with its default settings, but keeps the base's value of each key that both have: a
/// patchwise encoder takes over the width and depth of the holistic one. The result is checked.
///
/// # Errors
/// When a name is unknown or the parts do not fit.
pub fn compose(mut base: Source, composition: &Composition) -> Result<Source, PipelineError> {
    let registry = Registry::global().map_err(|source| PipelineError::Registry { place: base.place.clone(), source })?;
    for (kind, part) in &composition.parts {
        match part {
            Part::None => drop(base.table.remove(kind.name())),
            Part::Plugin(name) => {
                let wrap = |source| PipelineError::Registry { place: format!("--{kind}"), source };
                let defaults = registry.get(*kind, name).and_then(|plugin| plugin.settings()).map_err(wrap)?;
                let old = base.table.remove(kind.name());
                base.table
                    .insert(kind.name().into(), Value::Table(keep_shared(defaults, old.as_ref().and_then(Value::as_table))));
            }
        }
    }
    for text in &composition.set {
        base.set(text)?;
    }
    base.pipeline()?.plan()?;
    Ok(base)
}

fn keep_shared(mut new: Table, old: Option<&Table>) -> Table {
    for (key, value) in old.into_iter().flatten() {
        match new.get_mut(key) {
            Some(known) if key != "type" && known.type_str() == value.type_str() => *known = value.clone(),
            _ => {}
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_part_keeps_the_keys_it_shares_with_the_old_one() {
        let new: Table = "type = \"b\"\ndim = 1\ndepth = 2".parse().expect("valid");
        let old: Table = "type = \"a\"\ndim = 7\ndepth = \"x\"\nqueries = 3".parse().expect("valid");
        let expected: Table = "type = \"b\"\ndim = 7\ndepth = 2".parse().expect("valid");
        assert_eq!(keep_shared(new, Some(&old)), expected);
    }
}
