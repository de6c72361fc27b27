//! Other data for a pipeline.

use toml::{Table, Value};

use super::Source;
use crate::RuntimeError;
use crate::data::DataSettings;

impl Source {
    /// Takes the clips from what a user names: `procedural`, or the path of a folder, a CSV or a file. Where the pipeline has data of that
    /// type already, its other settings stay.
    ///
    /// # Errors
    /// When there is no such thing.
    pub fn use_data(&mut self, source: &str) -> Result<(), RuntimeError> {
        let settings = DataSettings::from_source(source)?;
        let new = Table::try_from(&settings).map_err(|error| RuntimeError::Request(format!("`{source}`: {error}")))?;
        match self.table.get_mut("data").and_then(Value::as_table_mut) {
            Some(old) if old.get("type") == new.get("type") => old.extend(new.into_iter().filter(|(key, _)| key == "path")),
            _ => drop(self.table.insert("data".into(), Value::Table(new))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_the_same_type_keeps_its_other_settings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        let mut source = Source::parse_text("test", "[data]\ntype = \"video\"\npath = \"a\"\nhorizontal_flip = false").unwrap();
        source.use_data(&path).unwrap();
        assert_eq!(source.table["data"]["path"].as_str(), Some(path.as_str()));
        assert_eq!(source.table["data"]["horizontal_flip"].as_bool(), Some(false));
        source.use_data("procedural").unwrap();
        assert_eq!(source.table["data"]["type"].as_str(), Some("procedural"));
        assert!(source.table["data"].get("path").is_none());
    }
}
