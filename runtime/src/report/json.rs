//! JSON and JSON-lines files.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ReportError;
use crate::media::{FileError, write_atomically};

/// Reads a JSON file.
///
/// # Errors
/// When the file cannot be read or holds something else.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ReportError> {
    let text = fs::read(path).map_err(FileError::at("read", path))?;
    serde_json::from_slice(&text).map_err(|source| ReportError::Json { path: path.to_owned(), source })
}

/// Writes a JSON file, indented, whole or not at all.
///
/// # Errors
/// When the value has no JSON form or the file cannot be written.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), ReportError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|source| ReportError::Json { path: path.to_owned(), source })?;
    text.push(b'\n');
    write_atomically(path, |tmp| Ok(fs::write(tmp, &text).map_err(FileError::at("write", tmp))?))
}

/// One value as a line of JSON with its line feed.
pub(super) fn line<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec(value).map_err(|source| ReportError::Json { path: path.to_owned(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The values of a JSON-lines file; a last line without a line feed was cut off by a kill and is left out.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ReportError> {
    let bytes = fs::read(path).map_err(FileError::at("read", path))?;
    let lines = bytes[..whole_lines(&bytes)].split(|&byte| byte == b'\n').enumerate();
    lines
        .filter(|(_, text)| !text.trim_ascii().is_empty())
        .map(|(index, text)| {
            serde_json::from_slice(text).map_err(|source| ReportError::Line { path: path.to_owned(), line: index + 1, source })
        })
        .collect()
}

/// Length of the part of a JSON-lines file that was written whole.
pub(super) fn whole_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.jsonl");
        fs::write(&path, "1\n\nx\n").unwrap();
        let error = read_lines::<u32>(&path).unwrap_err();
        assert!(matches!(error, ReportError::Line { line: 3, .. }));
    }

    #[test]
    fn a_half_written_last_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.jsonl");
        fs::write(&path, "1\n2\n34").unwrap();
        assert_eq!(read_lines::<u32>(&path).unwrap(), [1, 2]);
    }
}
