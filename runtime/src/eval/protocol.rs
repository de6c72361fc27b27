//! What is measured on, and how: a file, so that a number can be got again.

use std::path::Path;

use larp_traits::registry::{Kind, Registry, nearest_first};
use larp_traits::{FeaturesSettings, PerceptualSettings};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::moments::Normalisation;
use crate::RuntimeError;
use crate::data::Split;

const PROTOCOLS: [(&str, &str); 5] = [
    ("held-out", include_str!("../../../pipelines/protocols/held-out.toml")),
    ("held-out-i3d", include_str!("../../../pipelines/protocols/held-out-i3d.toml")),
    ("released-ucf101-rfvd", include_str!("../../../pipelines/protocols/released-ucf101-rfvd.toml")),
    ("released-ucf101-gfvd", include_str!("../../../pipelines/protocols/released-ucf101-gfvd.toml")),
    ("released-k600-fp", include_str!("../../../pipelines/protocols/released-k600-fp.toml")),
];

/// Names of the built-in protocols; the first one is the default.
pub fn protocol_names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.iter().map(|(name, _)| *name)
}

/// Which window of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowChoice {
    /// The middle one: one clip a video.
    Middle,
    /// Drawn from the seed and the clip's number: with more clips than videos they go round.
    Random,
}

/// Which classes are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassChoice {
    /// Those of the real clips, one by one.
    Copied,
    /// All in turn.
    InTurn,
}

/// Height and width of the pictures that the feature network sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureSize {
    /// In pixels.
    pub height: usize,
    /// In pixels.
    pub width: usize,
}

/// A protocol.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Its name.
    pub name: String,
    /// What it measures, in a sentence.
    #[serde(default)]
    pub about: String,
    /// The part of the data.
    pub split: Split,
    /// Number of clips; without it one of each video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clips: Option<usize>,
    /// Which windows.
    pub windows: WindowChoice,
    /// Of random windows, generated clips and resampling.
    pub seed: u64,
    /// Which classes are generated.
    pub classes: ClassChoice,
    /// What covariances are divided by (departure 16).
    pub covariance: Normalisation,
    /// Clips that go through the models at once. Generated clips depend on it, because a batch shares its draws.
    pub batch: usize,
    /// Resampled sets behind the interval of a mean.
    pub resamples: usize,
    /// Resampled sets behind the interval of a distance.
    pub distance_resamples: usize,
    /// Real, reconstructed and generated clips are brought to this size before the feature network sees them (departure 8); without it
    /// they keep the pipeline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<PictureSize>,
    /// The network of the Fréchet distances.
    pub features: Box<dyn FeaturesSettings>,
    /// The network of `lpips`.
    pub perceptual: Box<dyn PerceptualSettings>,
}

/// What the command line sets over a protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProtocolChanges {
    /// Another split.
    pub split: Option<Split>,
    /// Another number of clips.
    pub clips: Option<usize>,
}

impl Protocol {
    /// A file, or the built-in protocol of that name.
    ///
    /// # Errors
    /// When there is neither, or it is not a protocol.
    pub fn open(name: &str) -> Result<Self, RuntimeError> {
        let path = Path::new(name);
        let built_in = PROTOCOLS.iter().find(|(known, _)| *known == name);
        if let (false, Some((_, text))) = (path.is_file(), built_in) {
            return Self::parse(name, text);
        }
        if !path.exists() {
            let known = nearest_first(name, protocol_names()).join(", ");
            return Err(RuntimeError::Request(format!("there is no protocol `{name}`: neither a file nor one of {known}")));
        }
        let text = std::fs::read_to_string(path).map_err(RuntimeError::file("read", path))?;
        Self::parse(name, &text)
    }

    /// A text; `place` names it in errors.
    ///
    /// # Errors
    /// When it is no TOML, a key is unknown or missing, or a value cannot work.
    pub fn parse(place: &str, text: &str) -> Result<Self, RuntimeError> {
        let error = |message: String| RuntimeError::Request(format!("protocol `{place}`: {message}"));
        let table: Table = text.parse().map_err(|problem: toml::de::Error| error(problem.to_string()))?;
        let registry = Registry::global().map_err(|problem| error(problem.to_string()))?;
        for (key, kind) in [("features", Kind::Features), ("perceptual", Kind::Perceptual)] {
            let part = table.get(key).and_then(toml::Value::as_table);
            if let Some(name) = part.and_then(|part| part.get("type")).and_then(toml::Value::as_str) {
                registry.get(kind, name).map_err(|problem| error(problem.to_string()))?;
            }
        }
        let protocol: Self = toml::from_str(text).map_err(|problem| error(problem.to_string()))?;
        for (key, value) in [("batch", protocol.batch), ("clips", protocol.clips.unwrap_or(1))] {
            if value == 0 {
                return Err(error(format!("`{key}` is 0; it must be at least 1")));
            }
        }
        if protocol.resize.is_some_and(|size| size.height == 0 || size.width == 0) {
            return Err(error("`resize` has a side of 0".into()));
        }
        Ok(protocol)
    }

    /// With changes, and what they are: `key: old -> new` each.
    pub fn changed(mut self, changes: ProtocolChanges) -> (Self, Vec<String>) {
        let mut found = Vec::new();
        if let Some(split) = changes.split.filter(|split| *split != self.split) {
            found.push(format!("split: {} -> {split}", self.split));
            self.split = split;
        }
        if let Some(clips) = changes.clips.filter(|clips| Some(*clips) != self.clips) {
            found.push(format!("clips: {} -> {clips}", self.clips.map_or("all".into(), |clips| clips.to_string())));
            self.clips = Some(clips);
        }
        (self, found)
    }
}
