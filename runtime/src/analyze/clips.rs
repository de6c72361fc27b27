//! The clips that several runs are compared on.

use std::path::{Path, PathBuf};

use larp_traits::Device;

use crate::RuntimeError;
use crate::data::{DataSettings, Sample, Split, fixed};
use crate::use_run::TrainedRun;

/// Threads that read clips.
const WORKERS: usize = 2;

/// Which clips.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipChoice {
    /// Where they are from; `None` is the data of the first run.
    pub data: Option<DataSettings>,
    /// The split; each clip is the middle of its video.
    pub split: Split,
    /// At most so many.
    pub count: usize,
}

impl ClipChoice {
    /// The same clips for all runs.
    ///
    /// # Errors
    /// When the runs' clips are of different shapes, or the data fails.
    pub fn open(&self, runs: &[TrainedRun]) -> Result<Vec<Sample>, RuntimeError> {
        let first = runs.first().ok_or_else(|| RuntimeError::Request("there is no run to analyse".into()))?;
        let shape = first.pipeline.clip.shape();
        if let Some(other) = runs.iter().find(|run| run.pipeline.clip.shape() != shape) {
            let of = |run: &TrainedRun| {
                let shape = run.pipeline.clip.shape();
                format!("those of `{}` have {} x {} x {}", run.path().display(), shape.frames, shape.height, shape.width)
            };
            let message = format!("runs are compared on the same clips, but {}, and {}", of(first), of(other));
            return Err(RuntimeError::Request(message));
        }
        let data = self.data.as_ref().unwrap_or(&first.pipeline.data);
        Ok(fixed(data.open(shape)?, self.split, self.count, WORKERS)?.collect::<Result<_, _>>()?)
    }
}

/// Opens several runs.
///
/// # Errors
/// When one is no run, or its tokenizer is not trained.
pub fn open_runs(paths: &[PathBuf], device: &Device) -> Result<Vec<TrainedRun>, RuntimeError> {
    paths.iter().map(|path| TrainedRun::open(path, device)).collect()
}

/// Names that tell paths apart: the last part where that does, else the whole.
pub fn names<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Vec<String> {
    let paths: Vec<&Path> = paths.into_iter().collect();
    let last =
        |path: &Path| path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let is_known_twice = |name: &String| paths.iter().filter(|path| last(path) == *name).count() > 1;
    let name = |path: &&Path| Some(last(path)).filter(|name| !is_known_twice(name)).unwrap_or_else(|| path.display().to_string());
    paths.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_paths_apart() {
        let paths = ["runs/a", "runs/b", "old/b"].map(Path::new);
        assert_eq!(names(paths), ["a", "runs/b", "old/b"]);
    }
}
