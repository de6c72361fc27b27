//! The list of files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{csv, folder};
use crate::data::media::{Media, extension};
use crate::data::{DataError, Split};

/// One file or folder of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Where it is.
    pub path: PathBuf,
    /// Path below the root with `/`, or as the CSV has it.
    pub relative: String,
    /// Index of its class.
    pub label: Option<usize>,
    /// Its split, where that is given.
    pub split: Option<Split>,
}

/// An item whose class is still a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub path: PathBuf,
    pub relative: String,
    pub class: Option<String>,
    pub split: Option<Split>,
}

/// Lists a folder, a CSV or one file: items sorted by relative path, and the classes.
pub(super) fn list(path: &Path) -> Result<(Vec<Item>, Vec<String>), DataError> {
    let metadata = path.metadata().map_err(|source| DataError::io(path, source))?;
    let mut named = match () {
        () if metadata.is_dir() => folder::list(path)?,
        () if extension(path) == "csv" => csv::list(path)?,
        () => {
            let relative = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            vec![Named { path: path.to_owned(), relative, class: None, split: None }]
        }
    };
    if named.is_empty() {
        return Err(DataError::NoClips { path: path.to_owned() });
    }
    named.sort_by(|a, b| a.relative.cmp(&b.relative));
    let names: BTreeSet<String> = named.iter().filter_map(|item| item.class.clone()).collect();
    let mut classes: Vec<String> = names.into_iter().collect();
    // labels that are numbers keep their order as numbers: 2 before 10
    if classes.iter().all(|class| class.parse::<u64>().is_ok()) {
        classes.sort_by_key(|class| class.parse::<u64>().unwrap_or_default());
    }
    let label = |class: Option<String>| class.and_then(|class| classes.iter().position(|known| *known == class));
    let items = named
        .into_iter()
        .map(|Named { path, relative, class, split }| Item { path, relative, label: label(class), split })
        .collect();
    Ok((items, classes))
}

impl Item {
    /// Whether FFmpeg is needed; false for what is not there, which is found out when it is read.
    pub fn needs_ffmpeg(&self) -> bool {
        matches!(Media::locate(&self.path), Ok(Media::Video(_)))
    }

    /// Bytes and time of change in nanoseconds (of a folder of images: its own), 0 where the system does not say.
    pub fn size_and_time(&self) -> (u64, u128) {
        let Ok(metadata) = self.path.metadata() else { return (0, 0) };
        let time = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        (metadata.len(), time.map_or(0, |time| time.as_nanos()))
    }
}

/// A file of a listing.
pub(crate) struct Listed {
    pub path: PathBuf,
    pub relative: String,
    pub class: Option<String>,
}

/// The files of a folder, a CSV or one file, for the check.
pub(crate) struct Listing {
    pub files: Vec<Listed>,
    pub classes: Vec<String>,
}

/// Lists without opening a file.
pub(crate) fn listing(path: &Path) -> Result<Listing, DataError> {
    let (items, classes) = list(path)?;
    let listed = |item: Item| {
        let class = item.label.map(|label| classes[label].clone());
        Listed { path: item.path, relative: item.relative, class }
    };
    Ok(Listing { files: items.into_iter().map(listed).collect(), classes: classes.clone() })
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
