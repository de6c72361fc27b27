//! The ablation file.

use std::path::{Path, PathBuf};

use larp_traits::Kind;
use larp_traits::registry::nearest_first;
use serde::{Deserialize, Serialize};

use super::builtin::{ablation, ablation_names};
use super::error::AblateError;
use crate::media::FileError;
use crate::pipeline::Part;

/// An ablation as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AblationFile {
    /// Its name, in reports.
    pub name: String,
    /// What it asks, in a sentence or two.
    #[serde(default)]
    pub about: String,
    /// The pipeline that all variants change: built-in, or a file, its path relative to this one.
    pub base: String,
    /// Seeds that each variant is trained with.
    #[serde(default = "one_seed")]
    pub seeds: Vec<u64>,
    /// `key=value` over the base, before the variants: the base of the comparison has them too.
    #[serde(default)]
    pub set: Vec<String>,
    /// Columns of the table, by the names that the measures know; empty is the default ones.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// On what `eval` measures the metrics that are its own: `rfvd`, `gfvd`, `ssim`, `lpips`.
    #[serde(default)]
    pub protocol: ProtocolChoice,
    /// Draws the metrics over a setting instead of one row a variant.
    #[serde(default)]
    pub plot: Option<PlotSettings>,
    /// The variants, in the order of the table.
    #[serde(rename = "variant")]
    pub variants: Vec<VariantSettings>,
}

/// A protocol of `eval`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProtocolChoice {
    /// A built-in protocol, or a file.
    pub name: String,
    /// Another number of clips.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clips: Option<usize>,
}

impl Default for ProtocolChoice {
    fn default() -> Self {
        Self { name: "held-out".into(), clips: None }
    }
}

/// The horizontal axis of the plots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlotSettings {
    /// A number that differs between the variants: a key of the pipeline, such as `encoder.tokens`, or a metric.
    pub x: String,
    /// A key of the pipeline whose values are curves of their own, such as `prior.type`.
    #[serde(default)]
    pub series: Option<String>,
}

/// A variant as it is written: what it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantSettings {
    /// Its name, in the table and for its folder.
    pub name: String,
    /// Why it is there.
    #[serde(default)]
    pub about: String,
    /// Another pipeline than the base to start from.
    #[serde(default)]
    pub base: Option<String>,
    /// A variant whose trained weights this one uses; it may differ from that one in `sampling` alone.
    #[serde(default)]
    pub reuse: Option<String>,
    /// Another encoder, by name.
    #[serde(default)]
    pub encoder: Option<String>,
    /// Another quantizer.
    #[serde(default)]
    pub quantizer: Option<String>,
    /// Another decoder.
    #[serde(default)]
    pub decoder: Option<String>,
    /// Another prior, or `none`.
    #[serde(default)]
    pub prior: Option<String>,
    /// Another generator, or `none`.
    #[serde(default)]
    pub generator: Option<String>,
    /// Another critic, or `none`.
    #[serde(default)]
    pub critic: Option<String>,
    /// Another perceptual distance, or `none`.
    #[serde(default)]
    pub perceptual: Option<String>,
    /// `key=value` each, over the exchanged parts.
    #[serde(default)]
    pub set: Vec<String>,
}

fn one_seed() -> Vec<u64> {
    vec![0]
}

impl AblationFile {
    /// A file, or the built-in ablation of that name; and the folder that its paths are relative to.
    ///
    /// # Errors
    /// When there is neither, or it is not an ablation.
    pub fn open(name: &str) -> Result<(Self, PathBuf), AblateError> {
        let path = Path::new(name);
        if let (false, Some(text)) = (path.is_file(), ablation(name)) {
            return Ok((Self::parse(name, text)?, PathBuf::new()));
        }
        if !path.exists() {
            return Err(AblateError::NotFound { name: name.into(), known: nearest_first(name, ablation_names()) });
        }
        let text = std::fs::read_to_string(path).map_err(FileError::at("read", path))?;
        Ok((Self::parse(name, &text)?, path.parent().unwrap_or(Path::new("")).to_owned()))
    }

    /// A text; `place` names it in errors.
    ///
    /// # Errors
    /// When it is not TOML or has unknown keys.
    pub fn parse(place: &str, text: &str) -> Result<Self, AblateError> {
        toml::from_str(text).map_err(|error| AblateError::File { place: place.into(), message: error.to_string() })
    }
}

impl VariantSettings {
    /// The parts to exchange.
    pub(super) fn parts(&self) -> Vec<(Kind, Part)> {
        let named = [
            (Kind::Encoder, &self.encoder),
            (Kind::Quantizer, &self.quantizer),
            (Kind::Decoder, &self.decoder),
            (Kind::Prior, &self.prior),
            (Kind::Generator, &self.generator),
            (Kind::Critic, &self.critic),
            (Kind::Perceptual, &self.perceptual),
        ];
        let part = |kind: Kind, name: &String| match name.as_str() {
            "none" if kind.is_optional() => Part::None,
            _ => Part::Plugin(name.clone()),
        };
        named.into_iter().filter_map(|(kind, name)| Some((kind, part(kind, name.as_ref()?)))).collect()
    }
}
