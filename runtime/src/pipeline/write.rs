//! A pipeline back to a file, with the comments it came with.

use toml::{Table, Value};
use toml_edit::{DocumentMut, Item, TableLike};

use super::{PipelineError, Source};

impl Source {
    /// The text it was read from, with what was set over it; `heading` takes the place of the comment at the top.
    ///
    /// # Errors
    /// When a value cannot be written as TOML.
    pub fn to_toml(&self, heading: &str) -> Result<String, PipelineError> {
        let invalid = |message: String| PipelineError::Toml { place: format!("`{}`", self.place), message };
        let mut document: DocumentMut = self.text.parse().map_err(|error: toml_edit::TomlError| invalid(error.to_string()))?;
        let original: Table = self.text.parse().map_err(|error: toml::de::Error| invalid(error.to_string()))?;
        update(document.as_table_mut(), &original, &self.table, true).map_err(invalid)?;
        if let Some(mut first) = document.as_table_mut().key_mut("name") {
            let heading: String = heading.lines().map(|line| format!("# {line}\n")).collect();
            first.leaf_decor_mut().set_prefix(heading);
        }
        Ok(document.to_string())
    }
}

/// Makes `table`, which reads as `old`, read as `new`; what stays the same keeps its form.
fn update(table: &mut dyn TableLike, old: &Table, new: &Table, sections: bool) -> Result<(), String> {
    old.keys().filter(|key| !new.contains_key(*key)).for_each(|key| drop(table.remove(key)));
    for (key, value) in new {
        match (old.get(key), value, table.get_mut(key)) {
            (Some(before), _, _) if before == value => {}
            (Some(Value::Table(before)), Value::Table(after), Some(item)) if item.is_table_like() => {
                let inner = item.as_table_like_mut().ok_or_else(|| format!("`{key}` is not a table"))?;
                // a section of a section stays one; within an inline table all is inline
                update(inner, before, after, false)?;
            }
            (_, _, Some(item)) => *item = to_item(value, false)?,
            (_, _, None) => drop(table.insert(key, to_item(value, sections)?)),
        }
    }
    Ok(())
}

/// A value, or a section whose `type` comes first.
fn to_item(value: &Value, section: bool) -> Result<Item, String> {
    if let (true, Value::Table(values)) = (section, value) {
        let mut table = toml_edit::Table::new();
        table.decor_mut().set_prefix("\n");
        let (first, others): (Vec<_>, Vec<_>) = values.iter().partition(|(key, _)| *key == "type");
        for (key, value) in first.into_iter().chain(others) {
            table.insert(key, to_item(value, false)?);
        }
        return Ok(Item::Table(table));
    }
    let value: toml_edit::Value = value.to_string().parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    Ok(Item::Value(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_changed_keeps_its_form_and_its_comments() {
        let text = "# old\nname = \"a\"\n\n[encoder]\ntype = \"x\" # why\ndim = 1_000\n\n[prior]\ntype = \"p\"\n";
        let mut source = Source::parse_text("test", text).unwrap();
        source.table.remove("prior");
        source.set("encoder.depth=2").unwrap();
        source.set("generator={ depth = 1, type = \"g\" }").unwrap();
        let expected = "# new\nname = \"a\"\n\n[encoder]\ntype = \"x\" # why\ndim = 1_000\ndepth = 2\n\n[generator]\ntype = \"g\"\ndepth = 1\n";
        let written = source.to_toml("new").unwrap();
        assert_eq!(written, expected);
        assert_eq!(written.parse::<Table>().unwrap(), source.table);
    }
}
