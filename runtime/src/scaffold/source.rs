//! Where a new crate finds `larp-traits` and `larp-cli`.

use std::path::{Path, PathBuf};

use super::ScaffoldError;

/// Where a new crate finds `larp-traits` and `larp-cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A checkout.
    Path(PathBuf),
    /// A repository, by its address.
    Git(String),
    /// The registry, in this version.
    Version(String),
}

/// The dependencies' right-hand sides in `Cargo.toml`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependencies {
    pub larp_traits: String,
    pub larp_cli: String,
}

impl Source {
    /// The checkout that `folder` lies in; outside one, the version of this program from the registry.
    pub fn nearest(folder: &Path) -> Self {
        match folder.ancestors().find(|folder| is_checkout(folder)) {
            Some(root) => Source::Path(root.to_owned()),
            None => Source::Version(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    pub(super) fn dependencies(&self) -> Result<Dependencies, ScaffoldError> {
        match self {
            Source::Path(root) => {
                let no_checkout = || ScaffoldError::NoCheckout { path: root.clone() };
                let root = root.canonicalize().ok().filter(|root| is_checkout(root)).ok_or_else(no_checkout)?;
                let line = |folder| format!("{{ path = {} }}", quoted(&root.join(folder).to_string_lossy()));
                Ok(Dependencies { larp_traits: line("larp-traits"), larp_cli: line("cli") })
            }
            Source::Git(address) => Ok(Dependencies::both(format!("{{ git = {} }}", quoted(address)))),
            Source::Version(version) => Ok(Dependencies::both(quoted(version))),
        }
    }
}

impl Dependencies {
    fn both(line: String) -> Self {
        Self { larp_traits: line.clone(), larp_cli: line }
    }
}

fn is_checkout(folder: &Path) -> bool {
    folder.join("larp-traits/Cargo.toml").is_file() && folder.join("cli/Cargo.toml").is_file()
}

/// As a TOML string, whatever is in it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
