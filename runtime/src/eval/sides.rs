//! The side that a protocol is on, of what paper and released code measure in other ways.

use larp_traits::deviation::{Deviation, Sides};
use toml::{Table, Value};

use super::{PictureSize, Protocol};
use crate::RuntimeError;
use crate::pipeline::{ClipSettings, SettingSide, sides};

const fn same(key: &'static str, value: &'static str) -> Sides {
    Sides { key, paper: value, released: value }
}

/// Not submitted with those of pipelines, because a preset does not choose a protocol.
static DEVIATIONS: [Deviation; 3] = [
    Deviation {
        item: 8,
        title: "side of the pictures behind the FVD of K600",
        when: None,
        settings: &[
            Sides { key: "protocol.resize.height", paper: "128", released: "64" },
            Sides { key: "protocol.resize.width", paper: "128", released: "64" },
        ],
    },
    Deviation {
        item: 16,
        title: "covariances and features of FVD (the paper leaves them open)",
        when: None,
        settings: &[same("protocol.covariance", "'n'"), same("protocol.features.type", "'i3d'")],
    },
    Deviation {
        item: 17,
        title: "clips behind rFVD and gFVD (the paper leaves them open)",
        when: None,
        settings: &[
            same("protocol.split", "'train'"),
            same("protocol.windows", "'random'"),
            same("protocol.seed", "42"),
            same("protocol.classes", "'copied'"),
        ],
    },
];

impl Protocol {
    /// What [`Pipeline::preset_sides`](crate::pipeline::Pipeline::preset_sides) is for a pipeline; keys begin with `protocol.`. Under a
    /// protocol that does not resize, item 8 is the size of the pipeline's clips.
    ///
    /// # Errors
    /// When the settings cannot be written as TOML.
    pub fn preset_sides(&self, clip: ClipSettings) -> Result<Vec<SettingSide>, RuntimeError> {
        let size = self.resize.unwrap_or(PictureSize { height: clip.height, width: clip.width });
        let resolved = Self { resize: Some(size), ..self.clone() };
        let settings = Value::try_from(&resolved)
            .map_err(|error| RuntimeError::Request(format!("protocol `{}` as TOML: {error}", self.name)))?;
        Ok(sides(&Table::from_iter([("protocol".to_owned(), settings)]), &DEVIATIONS))
    }
}
