//! The `[data]` part of a pipeline file.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Procedural, ProceduralSettings, VideoFolder, VideoSettings};
use crate::clip::ClipShape;

/// Which clips to train and evaluate on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum DataSettings {
    /// Motions of shapes, drawn on the fly.
    Procedural(ProceduralSettings),
    /// Files in a folder or CSV.
    Video(VideoSettings),
}

impl Default for DataSettings {
    fn default() -> Self {
        Self::Procedural(ProceduralSettings::default())
    }
}

impl DataSettings {
    /// Settings for what a user names: `procedural`, or the path of a folder, a CSV or a file.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_source(source: &str) -> Result<Self, DataError> {
        if source == "procedural" {
            return Ok(Self::default());
        }
        let path = Path::new(source);
        path.metadata().map_err(|error| DataError::io(path, error))?;
        Ok(Self::Video(VideoSettings::new(path)))
    }

    /// Opens the data set for clips of one shape.
    ///
    /// # Errors
    /// When settings cannot work, when nothing is found, or when FFmpeg is needed and missing.
    pub fn open(&self, shape: ClipShape) -> Result<Arc<dyn Dataset>, DataError> {
        if shape.bytes() == 0 {
            return Err(DataError::Setting { key: "clip", reason: format!("{shape:?} is empty") });
        }
        Ok(match self {
            Self::Procedural(settings) => Arc::new(Procedural::new(settings.clone(), shape)?),
            Self::Video(settings) => Arc::new(VideoFolder::open(settings.clone(), shape)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_a_round_trip() {
        for settings in [DataSettings::default(), DataSettings::Video(VideoSettings::new(Path::new("clips")))] {
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<DataSettings>(&text).unwrap(), settings, "{text}");
        }
    }

    #[test]
    fn keys_left_out_have_defaults() {
        assert_eq!(toml::from_str::<DataSettings>("type = \"procedural\"").unwrap(), DataSettings::default());
    }

    #[test]
    fn unknown_keys_are_errors() {
        for text in ["type = \"procedural\"\nspeed = 2", "type = \"video\"\npath = \"x\"\nstride = 2", "type = \"audio\""] {
            assert!(toml::from_str::<DataSettings>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let error = DataSettings::from_source("no/such/clips").unwrap_err().to_string();
        assert!(error.contains("no/such/clips") && error.contains("procedural"), "{error}");
    }
}
