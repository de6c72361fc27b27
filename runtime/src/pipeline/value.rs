//! Values of a pipeline's table.

use toml::{Table, Value};

/// The value of a dotted key.
pub(crate) fn find<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let value = table.get(first)?;
    rest.map_or(Some(value), |rest| find(value.as_table()?, rest))
}

/// A number, whole or not.
pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|value| value as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_keys_are_found() {
        let table: Table = "a = 1\nb = { c = { d = 2.5 } }".parse().expect("valid");
        assert_eq!(find(&table, "b.c.d").and_then(number), Some(2.5));
        assert_eq!(find(&table, "a").and_then(number), Some(1.0));
        // a key below a value is none
        assert_eq!((find(&table, "a.c"), find(&table, "b.d"), find(&table, "x.y")), (None, None, None));
    }
}
