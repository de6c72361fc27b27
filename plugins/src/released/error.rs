//! Why a released checkpoint is refused.

use larp_traits::SettingsError;
use thiserror::Error;

/// A released checkpoint, or a part of it, that does not fit.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ReleasedError {
    /// A tensor of a name that such a model does not have.
    #[error("unexpected tensor `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Parameters for which there is no tensor.
    #[error("missing: {}", paths.join(", "))]
    Missing {
        /// Their paths.
        paths: Vec<String>,
    },
    /// A tensor of another shape.
    #[error("`{name}` has shape {found:?}; expected {expected}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that fits.
        expected: String,
    },
    /// Fixed position codes that are not those which we compute.
    #[error("the fixed codes `{name}` differ from ours by up to {difference}")]
    Codes {
        /// Their name.
        name: String,
        /// The largest difference.
        difference: f32,
    },
    /// An argument without an equivalent.
    #[error("released argument `{key}` is {found}; {expected}")]
    Argument {
        /// The argument.
        key: &'static str,
        /// Its value.
        found: String,
        /// What is possible.
        expected: &'static str,
    },
    /// Settings that cannot work.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Several of these at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<ReleasedError>),
}

impl ReleasedError {
    /// `Ok` without problems, else all of them.
    pub(crate) fn unless_empty(mut problems: Vec<Self>) -> Result<(), Self> {
        match problems.len() {
            0 => Ok(()),
            1 => Err(problems.remove(0)),
            _ => Err(Self::Several(problems)),
        }
    }
}
