//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} `{}`", path.display())]
pub struct FileError {
    /// What was tried, such as `create` or `rename`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// A function for `map_err` that adds the action and the path.
    pub fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

/// Lets `write` fill a temporary file in the folder of `path`, then renames it to `path`.
///
/// Missing folders are made. When `write` fails, the temporary file is removed and an earlier file at `path` stays.
///
/// # Errors
/// What `write` returns, and file operations that fail.
pub fn write_atomically<T, E: From<FileError>>(path: &Path, write: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, E> {
    let temporary = temporary_beside(path)?;
    let outcome = write(&temporary).and_then(|value| {
        publish(&temporary, path)?;
        Ok(value)
    });
    if outcome.is_err() {
        // the error that made us stop matters more than one from cleaning up
        let _ = fs::remove_file(&temporary);
    }
    outcome
}

fn publish(temporary: &Path, path: &Path) -> Result<(), FileError> {
    // without the sync a power cut after the rename can leave an empty file under the final name
    File::open(temporary).and_then(|file| file.sync_all()).map_err(FileError::at("sync", temporary))?;
    fs::rename(temporary, path).map_err(FileError::at("rename a temporary file to", path))
}

fn temporary_beside(path: &Path) -> Result<PathBuf, FileError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| FileError::at("write", path)(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file")))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}-{}.tmp", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
    Ok(folder.join(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_text(path: &Path, text: &str) -> Result<(), FileError> {
        fs::write(path, text).map_err(FileError::at("write", path))
    }

    #[test]
    fn a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new folder/file.txt");
        write_atomically(&path, |tmp| write_text(tmp, "old")).unwrap();
        write_atomically(&path, |tmp| write_text(tmp, "new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        write_text(&path, "old").unwrap();
        let outcome = write_atomically(&path, |tmp| {
            write_text(tmp, "half")?;
            Err::<(), _>(FileError::at("write", tmp)(io::Error::other("disk full")))
        });
        assert!(outcome.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_without_a_file_name_is_an_error() {
        let error = write_atomically(Path::new(".."), |tmp| write_text(tmp, "x")).unwrap_err();
        assert_eq!(error.to_string(), "could not write `..`");
    }
}
