//! The text of a pipeline, its table, and where each key stands.

use std::path::Path;

use larp_traits::registry::{Kind, Registry, nearest_first};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use toml::Table;

use super::builtin::{builtin, builtin_names};
use super::preset::{self, Preset};
use super::sampling::SamplingSettings;
use super::settings::{Bottleneck, ClipSettings, Losses};
use super::training::Train;
use super::{Pipeline, PipelineError};
use crate::data::DataSettings;

/// A pipeline before it is checked.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's path, or a built-in name.
    pub place: String,
    pub(super) text: String,
    /// Its values, with what was set over them.
    pub table: Table,
    /// The keys that were set.
    set: Vec<String>,
}

/// The file as it is written; the parts are read by the registry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    preset: Option<Preset>,
    clip: ClipSettings,
    encoder: Table,
    bottleneck: Bottleneck,
    quantizer: Table,
    decoder: Table,
    #[serde(default, deserialize_with = "part_or_its_name")]
    prior: Option<Table>,
    #[serde(default, deserialize_with = "part_or_its_name")]
    generator: Option<Table>,
    #[serde(default, deserialize_with = "part_or_its_name")]
    critic: Option<Table>,
    #[serde(default, deserialize_with = "part_or_its_name")]
    perceptual: Option<Table>,
    #[serde(default)]
    losses: Losses,
    #[serde(default)]
    train: Train,
    #[serde(default)]
    sampling: SamplingSettings,
    #[serde(default)]
    data: DataSettings,
}

/// A part as a table, or in short by its name: `perceptual = "none"`.
fn part_or_its_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Table>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Table(table) => Ok(Some(table)),
        toml::Value::String(name) => Ok(Some(Table::from_iter([("type".to_owned(), toml::Value::String(name))]))),
        other => {
            Err(serde::de::Error::custom(format!("a table or a name is expected, not a value of type {}", other.type_str())))
        }
    }
}

impl Source {
    /// A file, or the built-in pipeline of that name.
    ///
    /// # Errors
    /// When there is neither, or it is not TOML.
    pub fn open(name: &str) -> Result<Self, PipelineError> {
        let path = Path::new(name);
        if let (false, Some(text)) = (path.is_file(), builtin(name)) {
            return Self::parse_text(name, text);
        }
        if !path.exists() {
            return Err(PipelineError::NotFound { name: name.into(), known: nearest_first(name, builtin_names()) });
        }
        let text = std::fs::read_to_string(path).map_err(|source| PipelineError::Io { path: path.into(), source })?;
        Self::parse_text(name, &text)
    }

    /// A text; `place` names it in errors.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn parse_text(place: &str, text: &str) -> Result<Self, PipelineError> {
        let table = text
            .parse::<Table>()
            .map_err(|error| PipelineError::Toml { place: format!("`{place}`"), message: error.to_string() })?;
        Ok(Self { place: place.into(), text: text.into(), table, set: Vec::new() })
    }

    /// Sets `a.b.c=value` over it; a value that is not TOML is a string.
    ///
    /// # Errors
    /// When it has no `=`, or a part of the key is not a table.
    pub fn set(&mut self, text: &str) -> Result<(), PipelineError> {
        let malformed = || PipelineError::Set { text: text.into() };
        let (key, value) = text.split_once('=').ok_or_else(malformed)?;
        let value = format!("v = {value}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("v"))
            .unwrap_or_else(|| toml::Value::String(value.trim().into()));
        let path: Vec<_> = key.trim().split('.').collect();
        let (last, parents) = path.split_last().filter(|_| path.iter().all(|part| !part.is_empty())).ok_or_else(malformed)?;
        let mut table = &mut self.table;
        for parent in parents {
            let entry = table.entry(*parent).or_insert_with(|| toml::Value::Table(Table::new()));
            table = entry.as_table_mut().ok_or_else(|| PipelineError::Key {
                place: format!("`--set {text}`"),
                message: format!("`{parent}` is a value, not a table"),
                nearest: None,
            })?;
        }
        table.insert((*last).into(), value);
        self.set.push(path.join("."));
        Ok(())
    }

    /// Reads the settings; sizes that do not fit are found by [`Pipeline::plan`].
    ///
    /// # Errors
    /// When a key is unknown, missing or of the wrong type, or a part has an unknown name.
    pub fn pipeline(&self) -> Result<Pipeline, PipelineError> {
        let mut table = self.table.clone();
        preset::apply(&mut table);
        let file: File = serde_path_to_error::deserialize(table)
            .map_err(|error| self.key_error(&error.path().to_string(), error.inner().message()))?;
        let registry = Registry::global().map_err(|source| self.registry_error("", source))?;
        Ok(Pipeline {
            name: file.name,
            preset: file.preset,
            clip: file.clip,
            encoder: self.part(registry, Kind::Encoder, file.encoder)?,
            bottleneck: file.bottleneck,
            quantizer: self.part(registry, Kind::Quantizer, file.quantizer)?,
            decoder: self.part(registry, Kind::Decoder, file.decoder)?,
            prior: self.optional(registry, Kind::Prior, file.prior)?,
            generator: self.optional(registry, Kind::Generator, file.generator)?,
            critic: self.optional(registry, Kind::Critic, file.critic)?,
            perceptual: self.optional(registry, Kind::Perceptual, file.perceptual)?,
            losses: file.losses,
            train: file.train,
            sampling: file.sampling,
            data: file.data,
        })
    }

    fn part<S: DeserializeOwned>(&self, registry: &Registry, kind: Kind, table: Table) -> Result<S, PipelineError> {
        use larp_traits::RegistryError;
        if !table.contains_key("type") {
            return Err(self.key_error(kind.name(), "missing field `type`: which plugin it is"));
        }
        registry.settings(kind, table).map_err(|error| match error {
            RegistryError::Settings { message, .. } => self.key_error(kind.name(), &message),
            other => self.registry_error(&format!("{kind}.type"), other),
        })
    }

    /// A part that may be left out, or have the type `none`.
    fn optional<S: DeserializeOwned>(
        &self,
        registry: &Registry,
        kind: Kind,
        table: Option<Table>,
    ) -> Result<Option<S>, PipelineError> {
        match table {
            Some(table) if table.get("type").and_then(toml::Value::as_str) != Some("none") => {
                self.part(registry, kind, table).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn registry_error(&self, key: &str, source: larp_traits::RegistryError) -> PipelineError {
        PipelineError::Registry { place: self.place_of(key), source }
    }

    /// An error of serde at `path`: serde names an unknown key and those it knows between backticks.
    fn key_error(&self, path: &str, message: &str) -> PipelineError {
        let message = message.trim();
        let path = path.trim_matches('.');
        let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
        let (key, nearest) = match quoted.split_first() {
            Some((unknown, known)) if message.starts_with("unknown") => {
                let likely = nearest_first(unknown, known.iter().copied()).into_iter().next();
                let owner = path.strip_suffix(unknown).unwrap_or(path).trim_matches('.');
                (join(owner, unknown), likely)
            }
            _ => (path.to_owned(), None),
        };
        let shown = if key.is_empty() { message.to_owned() } else { format!("`{key}`: {message}") };
        PipelineError::Key { place: self.place_of(&key), message: shown, nearest }
    }

    /// The place of a dotted key: what was set, or its line where the text has it.
    fn place_of(&self, key: &str) -> String {
        if self.set.iter().any(|set| set == key) {
            return format!("`--set {key}=..`");
        }
        match line_of(&self.text, key) {
            Some(line) => format!("`{}`, line {line}", self.place),
            None => format!("`{}`", self.place),
        }
    }
}

fn join(owner: &str, key: &str) -> String {
    if owner.is_empty() { key.into() } else { format!("{owner}.{key}") }
}

/// The line, from 1, on which a dotted key stands.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let parts: Vec<_> = key.split('.').collect();
    for (index, part) in parts.iter().enumerate() {
        let (name, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == *part)?;
        if index + 1 == parts.len() {
            return Some(
                text[..name.span().start].lines().count().max(1) + usize::from(text[..name.span().start].ends_with('\n')),
            );
        }
        table = value.get_ref().as_table()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_key_is_found() {
        let text = "name = \"a\"\n\n[train]\nseed = 1\n[train.tokenizer]\n steps = 2\n";
        assert_eq!(line_of(text, "name"), Some(1));
        assert_eq!(line_of(text, "train.seed"), Some(4));
        assert_eq!(line_of(text, "train.tokenizer.steps"), Some(6));
        assert_eq!(line_of(text, "train.nothing"), None);
    }

    #[test]
    fn a_part_may_be_named_alone_or_left_out() {
        let read = |text: &str| {
            let mut source = Source::open("larp-tiny").expect("built in");
            source.set(text).expect("valid");
            serde_path_to_error::deserialize::<_, File>(source.table).map(|file| file.prior).map_err(|error| error.to_string())
        };
        let table = |name: &str| Table::from_iter([("type".to_owned(), toml::Value::from(name))]);
        assert_eq!(read("prior=none"), Ok(Some(table("none"))));
        assert_eq!(read("prior={ type = \"other\" }"), Ok(Some(table("other"))));
        assert!(
            read("prior=3").is_err_and(|message| message.contains("a table or a name is expected, not a value of type integer"))
        );
    }

    #[test]
    fn a_set_value_has_its_type() {
        let mut source = Source::parse_text("test", "[train]\nseed = 1").expect("valid");
        for text in ["train.seed=7", "train.tokenizer.optimizer.betas=[0.5, 0.9]", "data.type=video"] {
            source.set(text).expect("valid");
        }
        assert_eq!(source.table["train"]["seed"].as_integer(), Some(7));
        assert_eq!(source.table["train"]["tokenizer"]["optimizer"]["betas"].as_array().map(Vec::len), Some(2));
        assert_eq!(source.table["data"]["type"].as_str(), Some("video"));
        assert!(source.set("train.seed").is_err() && source.set("train.seed.x=1").is_err());
    }
}
