//! New plugin crates.
//!
//! [`new_plugin`] writes a crate with a small component that works, its conformance tests, and a binary that is `larp-cli` with the
//! plugin linked in.

mod error;
mod name;
mod source;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};

use larp_traits::{Kind, Registry};

pub use error::ScaffoldError;
pub use source::Source;

/// Writes the crate `name` with a component of this kind into the folder `into`, and returns the crate's folder. The crate is there
/// whole or not at all.
///
/// # Errors
/// When the name is no crate's name or is taken by a plugin of this program, when the folder exists, when `source` is a path without a
/// checkout, or when a file cannot be written.
pub fn new_plugin(kind: Kind, name: &str, into: &Path, source: &Source) -> Result<PathBuf, ScaffoldError> {
    let names = name::Names::new(kind, name)?;
    let taken = Registry::global().is_ok_and(|registry| registry.get(kind, name).is_ok());
    if taken {
        return Err(ScaffoldError::Taken { kind: kind.name(), name: name.into() });
    }
    let crates = source.dependencies()?;
    let folder = into.join(name);
    if folder.exists() {
        return Err(ScaffoldError::Exists { path: folder });
    }
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ScaffoldError::Io { path, source }
    };
    fs::create_dir_all(into).map_err(io(into))?;
    // within `into`, so that the rename stays on one file system; the crate is a folder in it, for a temporary one is private
    let scratch = tempfile::Builder::new().prefix(".larp-new-").tempdir_in(into).map_err(io(into))?;
    let draft = scratch.path().join(name);
    for (path, text) in templates::render(kind, &names, &crates) {
        let path = draft.join(path);
        let parent = path.parent().unwrap_or(&draft);
        fs::create_dir_all(parent).map_err(io(parent))?;
        fs::write(&path, text).map_err(io(&path))?;
    }
    fs::rename(&draft, &folder).map_err(io(&folder))?;
    Ok(folder)
}

#[cfg(test)]
mod tests;
