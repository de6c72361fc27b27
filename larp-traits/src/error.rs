//! Typed errors.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Settings that cannot work, found before anything is built.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// A value is out of its range.
    #[error("`{key}` is {found}; {expected}")]
    Value {
        /// The key, with its table: `encoder.heads`.
        key: String,
        /// What the settings say.
        found: String,
        /// What is possible.
        expected: String,
    },
    /// Two parts do not fit each other.
    #[error("{left} does not fit {right}: {reason}")]
    Mismatch {
        /// One side with its size.
        left: String,
        /// The other side with its size.
        right: String,
        /// What to change.
        reason: String,
    },
    /// A file that a setting names does not hold what it should.
    #[error("`{key}`: {message}")]
    File {
        /// The key.
        key: String,
        /// Which file, and what is wrong with it.
        message: String,
    },
}

impl SettingsError {
    /// A value out of its range.
    pub fn value(key: impl Into<String>, found: impl ToString, expected: impl Into<String>) -> Self {
        Self::Value { key: key.into(), found: found.to_string(), expected: expected.into() }
    }

    /// Two parts that do not fit.
    pub fn mismatch(left: impl Into<String>, right: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Mismatch { left: left.into(), right: right.into(), reason: reason.into() }
    }

    /// A file that does not hold what it should.
    pub fn file(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::File { key: key.into(), message: message.into() }
    }
}

/// Checks that a setting is a finite number above 0.
///
/// # Errors
/// When it is not.
pub fn positive(key: &str, value: f64) -> Result<(), SettingsError> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(SettingsError::value(key, value, "it must be above 0")),
    }
}

/// Checks that `number` divides `whole`: a size by a patch size, a width by a number of heads.
///
/// # Errors
/// When it does not, or is 0.
pub fn divides(key: &str, number: usize, whole: usize, what: &str) -> Result<usize, SettingsError> {
    if number == 0 || !whole.is_multiple_of(number) {
        return Err(SettingsError::value(key, number, format!("it must divide {what} {whole}")));
    }
    Ok(whole / number)
}

/// The registry refused a name, or is itself inconsistent.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum RegistryError {
    /// No plugin has this name.
    #[error("no {kind} is called `{name}`; known: {}", known.join(", "))]
    Unknown {
        /// Kind of component.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The known names, nearest first.
        known: Vec<String>,
    },
    /// A plugin's settings do not parse.
    #[error("settings of {kind} `{name}`: {message}")]
    Settings {
        /// Kind of component.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The parser's words.
        message: String,
    },
    /// Two crates register one name.
    #[error("{kind} `{name}` is registered twice: by `{first}` and by `{second}`; rename one of them")]
    Duplicate {
        /// Kind of component.
        kind: &'static str,
        /// The name.
        name: String,
        /// First crate.
        first: String,
        /// Second crate.
        second: String,
    },
    /// Settings without a descriptor.
    #[error("{kind} `{name}` has settings but no descriptor; add `register!` beside them")]
    Undescribed {
        /// Kind of component.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A descriptor without settings of its name.
    #[error("{kind} `{name}` of `{source_crate}` has a descriptor, but its default settings do not parse: {message}")]
    Orphan {
        /// Kind of component.
        kind: &'static str,
        /// The name.
        name: String,
        /// The crate.
        source_crate: String,
        /// What went wrong.
        message: String,
    },
}

/// A parameter file could not be read or written.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("`{}`: {message}", path.display())]
pub struct StateError {
    /// The file.
    pub path: PathBuf,
    /// What went wrong: for a strict load, the missing, unexpected and wrongly shaped tensors.
    pub message: String,
}

impl StateError {
    /// An error of `path`.
    pub fn new(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
