//! Names to plugins.
//!
//! A plugin crate submits a [`Descriptor`] with [`register!`](crate::register) beside the settings that `typetag` finds by the same
//! name. The registry checks at its first use that the two agree and that no name is taken twice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use crate::error::RegistryError;
use crate::tags::known_tags;
use crate::{
    CriticSettings, DecoderSettings, EncoderSettings, FeaturesSettings, GeneratorSettings, PerceptualSettings, PriorSettings,
    QuantizerSettings,
};

/// The kinds of component: those that data flows through, in that order, then those that only training needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Clips to latents.
    Encoder,
    /// Latents to tokens.
    Quantizer,
    /// Embeddings to clips.
    Decoder,
    /// The prior trained with the tokenizer.
    Prior,
    /// The model of tokens.
    Generator,
    /// The judge of reconstructions.
    Critic,
    /// The perceptual distance of clips.
    Perceptual,
    /// The features of Fréchet distances; a protocol of `eval` names them, not a pipeline.
    Features,
}

impl Kind {
    /// The parts of a pipeline.
    pub const PARTS: [Kind; 7] =
        [Kind::Encoder, Kind::Quantizer, Kind::Decoder, Kind::Prior, Kind::Generator, Kind::Critic, Kind::Perceptual];

    /// All kinds.
    pub const ALL: [Kind; 8] = [
        Kind::Encoder,
        Kind::Quantizer,
        Kind::Decoder,
        Kind::Prior,
        Kind::Generator,
        Kind::Critic,
        Kind::Perceptual,
        Kind::Features,
    ];

    /// Whether a pipeline can do without it.
    pub fn is_optional(self) -> bool {
        !matches!(self, Kind::Encoder | Kind::Quantizer | Kind::Decoder)
    }

    /// Its name, as in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Encoder => "encoder",
            Kind::Quantizer => "quantizer",
            Kind::Decoder => "decoder",
            Kind::Prior => "prior",
            Kind::Generator => "generator",
            Kind::Critic => "critic",
            Kind::Perceptual => "perceptual",
            Kind::Features => "features",
        }
    }

    fn tags(self) -> Vec<&'static str> {
        match self {
            Kind::Encoder => known_tags::<Box<dyn EncoderSettings>>(),
            Kind::Quantizer => known_tags::<Box<dyn QuantizerSettings>>(),
            Kind::Decoder => known_tags::<Box<dyn DecoderSettings>>(),
            Kind::Prior => known_tags::<Box<dyn PriorSettings>>(),
            Kind::Generator => known_tags::<Box<dyn GeneratorSettings>>(),
            Kind::Critic => known_tags::<Box<dyn CriticSettings>>(),
            Kind::Perceptual => known_tags::<Box<dyn PerceptualSettings>>(),
            Kind::Features => known_tags::<Box<dyn FeaturesSettings>>(),
        }
    }

    fn parses(self, settings: toml::Table) -> Result<(), toml::de::Error> {
        match self {
            Kind::Encoder => settings.try_into::<Box<dyn EncoderSettings>>().map(drop),
            Kind::Quantizer => settings.try_into::<Box<dyn QuantizerSettings>>().map(drop),
            Kind::Decoder => settings.try_into::<Box<dyn DecoderSettings>>().map(drop),
            Kind::Prior => settings.try_into::<Box<dyn PriorSettings>>().map(drop),
            Kind::Generator => settings.try_into::<Box<dyn GeneratorSettings>>().map(drop),
            Kind::Critic => settings.try_into::<Box<dyn CriticSettings>>().map(drop),
            Kind::Perceptual => settings.try_into::<Box<dyn PerceptualSettings>>().map(drop),
            Kind::Features => settings.try_into::<Box<dyn FeaturesSettings>>().map(drop),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plugin says of itself.
pub struct Descriptor {
    /// Its kind.
    pub kind: Kind,
    /// Its name, as in `type = "name"`.
    pub name: &'static str,
    /// One line of help.
    pub summary: &'static str,
    /// Where it comes from: paper, section, equation.
    pub source: &'static str,
    /// The crate that registers it.
    pub package: &'static str,
    /// Its default settings.
    pub defaults: fn() -> Box<dyn erased_serde::Serialize>,
}

inventory::collect!(Descriptor);

impl Descriptor {
    /// The default settings with their `type`, as in a pipeline file.
    ///
    /// # Errors
    /// When the settings are not a table.
    pub fn settings(&self) -> Result<toml::Table, RegistryError> {
        let value = toml::Value::try_from((self.defaults)()).map_err(|error| self.orphan(error))?;
        let toml::Value::Table(mut table) = value else {
            return Err(self.orphan("they are not a table"));
        };
        table.insert("type".into(), self.name.into());
        Ok(table)
    }

    fn orphan(&self, message: impl ToString) -> RegistryError {
        RegistryError::Orphan {
            kind: self.kind.name(),
            name: self.name.into(),
            source_crate: self.package.into(),
            message: message.to_string(),
        }
    }
}

/// Registers a plugin: `register!(Quantizer, "svq", SvqSettings, "one line of help", "paper, section 3.2")`.
///
/// The settings type implements `Default`, and the settings trait of its kind under `#[typetag::serde(name = "svq")]`.
#[macro_export]
macro_rules! register {
    ($kind:ident, $name:literal, $settings:ty, $summary:literal, $source:literal) => {
        $crate::inventory::submit! {
            $crate::registry::Descriptor {
                kind: $crate::registry::Kind::$kind,
                name: $name,
                summary: $summary,
                source: $source,
                package: env!("CARGO_PKG_NAME"),
                defaults: || Box::new(<$settings as ::core::default::Default>::default()),
            }
        }
    };
}

/// The plugins of this program.
pub struct Registry {
    plugins: BTreeMap<(Kind, &'static str), &'static Descriptor>,
}

impl Registry {
    /// The registry of this program, checked once.
    ///
    /// # Errors
    /// When two crates register one name, or descriptors and settings do not agree.
    pub fn global() -> Result<&'static Self, RegistryError> {
        static REGISTRY: OnceLock<Result<Registry, RegistryError>> = OnceLock::new();
        REGISTRY.get_or_init(|| Self::check(inventory::iter::<Descriptor>.into_iter())).as_ref().map_err(Clone::clone)
    }

    fn check(descriptors: impl Iterator<Item = &'static Descriptor>) -> Result<Self, RegistryError> {
        let mut plugins = BTreeMap::new();
        for new in descriptors {
            if let Some(old) = plugins.insert((new.kind, new.name), new) {
                let mut crates = [old.package, new.package];
                crates.sort_unstable();
                return Err(RegistryError::Duplicate {
                    kind: new.kind.name(),
                    name: new.name.into(),
                    first: crates[0].into(),
                    second: crates[1].into(),
                });
            }
        }
        for kind in Kind::ALL {
            if let Some(tag) = kind.tags().into_iter().find(|tag| !plugins.contains_key(&(kind, *tag))) {
                return Err(RegistryError::Undescribed { kind: kind.name(), name: tag.into() });
            }
        }
        for plugin in plugins.values() {
            plugin.kind.parses(plugin.settings()?).map_err(|error| plugin.orphan(error.message()))?;
        }
        Ok(Self { plugins })
    }

    /// The plugins of a kind, or all, sorted by kind and name.
    pub fn list(&self, kind: Option<Kind>) -> impl Iterator<Item = &'static Descriptor> {
        self.plugins.values().copied().filter(move |plugin| kind.is_none_or(|kind| plugin.kind == kind))
    }

    /// The plugin with this name.
    ///
    /// # Errors
    /// When there is none: the error lists the known ones, nearest first.
    pub fn get(&self, kind: Kind, name: &str) -> Result<&'static Descriptor, RegistryError> {
        self.plugins.get(&(kind, name)).copied().ok_or_else(|| {
            let known = self.list(Some(kind)).map(|plugin| plugin.name);
            RegistryError::Unknown { kind: kind.name(), name: name.into(), known: nearest_first(name, known) }
        })
    }

    /// Settings of a kind from a table with a `type`.
    ///
    /// # Errors
    /// When the name is unknown or the other keys are not its settings.
    pub fn settings<S: DeserializeOwned>(&self, kind: Kind, table: toml::Table) -> Result<S, RegistryError> {
        let name = table.get("type").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        self.get(kind, &name)?;
        table.try_into().map_err(|error: toml::de::Error| RegistryError::Settings {
            kind: kind.name(),
            name,
            message: error.message().into(),
        })
    }
}

/// Names by their likeness to `name`, nearest first; equal ones by the alphabet.
pub fn nearest_first<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort_by(|a, b| {
        let likeness = |other| strsim::normalized_damerau_levenshtein(name, other);
        likeness(b).total_cmp(&likeness(a)).then_with(|| a.cmp(b))
    });
    known.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Box<dyn erased_serde::Serialize> {
        Box::new(toml::Table::new())
    }

    static A: Descriptor =
        Descriptor { kind: Kind::Prior, name: "a", summary: "", source: "", package: "one", defaults: nothing };
    static B: Descriptor =
        Descriptor { package: "two", kind: Kind::Prior, name: "a", summary: "", source: "", defaults: nothing };

    #[test]
    fn a_name_registered_twice_names_both_crates() {
        let error = Registry::check([&B, &A].into_iter()).map(drop).expect_err("two of one name");
        assert_eq!(error.to_string(), "prior `a` is registered twice: by `one` and by `two`; rename one of them");
    }

    #[test]
    fn a_descriptor_without_settings_is_refused() {
        let error = Registry::check([&A].into_iter()).map(drop).expect_err("no settings of that name");
        assert!(
            error.to_string().starts_with("prior `a` of `one` has a descriptor, but its default settings do not parse"),
            "{error}"
        );
    }

    #[test]
    fn the_nearest_name_comes_first() {
        assert_eq!(nearest_first("sqv", ["vq", "fsq", "svq"])[0], "svq");
    }
}
