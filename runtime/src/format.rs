//! The version of run folders and checkpoints.
//!
//! | version | what changed |
//! |---|---|
//! | 1 | the first; a run folder has no `run.json` |
//! | 2 | `run.json`; a checkpoint says whether it was imported, and then has no optimiser state |
//!
//! An older version is migrated while it is read: the files stay as they are.

use std::path::Path;

use serde_json::Value;

use crate::RuntimeError;

/// What this program writes.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// Checks that this program reads a version.
pub(crate) fn check(path: &Path, what: &str, version: u64) -> Result<(), RuntimeError> {
    if (1..=u64::from(FORMAT_VERSION)).contains(&version) {
        return Ok(());
    }
    let reason = if version == 0 { "no program wrote that version" } else { "a newer program wrote it; update this one" };
    let message = format!("{what} is of format version {version}, and this program reads 1 to {FORMAT_VERSION}: {reason}");
    Err(RuntimeError::content(path, message))
}

/// A checkpoint's `state.json` of any version that is read, as of this one.
pub(crate) fn migrate_state(path: &Path, mut state: Value) -> Result<Value, RuntimeError> {
    let version = state.get("format_version").and_then(Value::as_u64);
    let version = version.ok_or_else(|| RuntimeError::content(path, "its `format_version` is missing"))?;
    check(path, "the checkpoint", version)?;
    if let (1, Some(fields)) = (version, state.as_object_mut()) {
        fields.insert("imported".into(), Value::Bool(false));
        fields.insert("format_version".into(), FORMAT_VERSION.into());
    }
    Ok(state)
}
