//! The file that tensors are read from, piece by piece.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::WeightsError;

/// An open file; copies share it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub path: Arc<PathBuf>,
    pub len: u64,
    file: Arc<Mutex<File>>,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let fail = |source| WeightsError::Io { path: path.into(), source };
        let file = File::open(path).map_err(fail)?;
        let about = file.metadata().map_err(fail)?;
        if about.is_dir() {
            return Err(fail(std::io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { path: Arc::new(path.into()), len: about.len(), file: Arc::new(Mutex::new(file)) })
    }

    /// `count` bytes from `start`; no memory is taken for bytes that the file does not have.
    pub fn bytes(&self, start: u64, count: u64) -> Result<Vec<u8>, WeightsError> {
        let end = start.checked_add(count).filter(|end| *end <= self.len);
        let missing = || self.malformed(format!("bytes {start} to {} of {}", start.saturating_add(count), self.len));
        let count = usize::try_from(count).ok().filter(|_| end.is_some()).ok_or_else(missing)?;
        let mut bytes = vec![0; count];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes)).map_err(|error| self.io(error))?;
        Ok(bytes)
    }

    /// A reader of its own.
    pub fn reader(&self) -> Result<std::io::BufReader<File>, WeightsError> {
        File::open(&*self.path).map(std::io::BufReader::new).map_err(|error| self.io(error))
    }

    pub fn io(&self, source: std::io::Error) -> WeightsError {
        WeightsError::Io { path: self.path.to_path_buf(), source }
    }

    pub fn malformed(&self, reason: impl Into<String>) -> WeightsError {
        WeightsError::Malformed { path: self.path.to_path_buf(), reason: reason.into() }
    }
}
