//! What can be measured.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use larp_traits::registry::nearest_first;
use serde::{Deserialize, Serialize};

use crate::report::Unit;

/// A measurement that is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Peak signal-to-noise ratio of reconstructions, mean over clips.
    Psnr,
    /// Structural similarity, mean over clips.
    Ssim,
    /// Learned perceptual distance, mean over clips.
    Lpips,
    /// Mean absolute difference.
    L1,
    /// Mean squared difference.
    Mse,
    /// Share of the codebook in use, and its perplexity.
    Usage,
    /// Fréchet distance of reconstructed from real clips.
    Rfvd,
    /// Fréchet distance of generated (or predicted) from real clips.
    Gfvd,
}

impl Metric {
    /// All.
    pub const ALL: [Self; 8] = [Self::Rfvd, Self::Gfvd, Self::Psnr, Self::Ssim, Self::Lpips, Self::L1, Self::Mse, Self::Usage];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Psnr => "psnr",
            Self::Ssim => "ssim",
            Self::Lpips => "lpips",
            Self::L1 => "l1",
            Self::Mse => "mse",
            Self::Usage => "usage",
            Self::Rfvd => "rfvd",
            Self::Gfvd => "gfvd",
        }
    }

    /// Whether it compares reconstructions with their clips.
    pub(super) fn of_reconstructions(self) -> bool {
        !matches!(self, Self::Gfvd | Self::Usage)
    }

    /// Whether it compares features.
    pub(super) fn of_features(self) -> bool {
        matches!(self, Self::Rfvd | Self::Gfvd)
    }

    /// The values it gives: `usage` gives two.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::Usage => &["code_usage", "perplexity"],
            Self::Psnr => &["psnr"],
            Self::Ssim => &["ssim"],
            Self::Lpips => &["lpips"],
            Self::L1 => &["l1"],
            Self::Mse => &["mse"],
            Self::Rfvd => &["rfvd"],
            Self::Gfvd => &["gfvd"],
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|metric| metric.name() == text.trim()).ok_or_else(|| {
            format!("there is no metric `{text}`; known ones are {}", nearest_first(text, Self::ALL.map(Self::name)).join(", "))
        })
    }
}

/// A measured number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// What to call it: a distance is named after its feature network, so that `FVD-small3d` is never taken for FVD.
    pub name: String,
    /// The number.
    pub value: f64,
    /// The 95 % confidence interval over clips; none of a single clip.
    pub interval: Option<[f64; 2]>,
    /// Number of clips.
    pub clips: usize,
    /// Behind the number: `dB`, `%`.
    pub unit: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// A distance of the first clips alone, by their number: it falls with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_clips: BTreeMap<usize, f64>,
}

/// Heading and unit of a value that is a mean over clips or a statistic of tokens.
pub(super) fn words(value: &str) -> (&'static str, Unit, bool) {
    match value {
        "psnr" => ("PSNR", Unit::Decibels, true),
        "ssim" => ("SSIM", Unit::Plain, true),
        "lpips" => ("LPIPS", Unit::Plain, false),
        "l1" => ("L1", Unit::Plain, false),
        "mse" => ("MSE", Unit::Plain, false),
        "code_usage" => ("Code usage", Unit::Share, true),
        _ => ("Perplexity", Unit::Codes, true),
    }
}
