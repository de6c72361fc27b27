//! Why a crate was not written.

use std::path::PathBuf;

use thiserror::Error;

/// A plugin crate was not written; nothing is left behind.
#[derive(Debug, Error)]
pub enum ScaffoldError {
    /// No crate can have this name.
    #[error("`{name}` cannot be the name of a plugin crate: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A plugin of this program has the name.
    #[error("there is a {kind} called `{name}` already; choose another name")]
    Taken {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The folder is there.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The path given is not a checkout of larp.
    #[error("`{}` is not a checkout of larp: it has no `larp-traits/Cargo.toml`", path.display())]
    NoCheckout {
        /// The path.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("`{}` cannot be written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
