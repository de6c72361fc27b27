//! The files that a run went on without.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// One file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Why it could not be used.
    pub reason: String,
}

/// A list shared by the workers of a data set; clones are handles on the same list.
#[derive(Debug, Clone, Default)]
pub struct Problems(Arc<Mutex<BTreeMap<PathBuf, String>>>);

impl Problems {
    /// Records a file, and warns the first time it is named.
    pub fn record(&self, path: &Path, reason: &str) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !list.contains_key(path) {
            tracing::warn!("going on without `{}`: {reason}", path.display());
            list.insert(path.to_owned(), reason.to_owned());
        }
    }

    /// Every file recorded so far, sorted by path.
    pub fn list(&self) -> Vec<Problem> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|(path, reason)| Problem { path: path.clone(), reason: reason.clone() }).collect()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_once_and_sorted_with_the_first_reason() {
        let problems = Problems::default();
        assert!(problems.is_empty());
        for (path, reason) in [("b", "first"), ("a", "x"), ("b", "second")] {
            problems.clone().record(Path::new(path), reason);
        }
        let list: Vec<_> = problems.list().into_iter().map(|p| (p.path, p.reason)).collect();
        assert_eq!(list, [("a".into(), "x".into()), ("b".into(), "first".to_owned())]);
    }
}
