//! What a data set is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::pool::Pool;
use super::{DataError, Problems};
use crate::clip::Clip;

/// A part of a data set; no clip is in two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// To learn from.
    Train,
    /// To watch training with.
    Validation,
    /// For the final numbers.
    Test,
}

impl Split {
    /// The three.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The split that a folder or a CSV calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Which frames of a source make the clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A start (and a flip, where set) drawn from these and the clip's index.
    Random {
        /// Seed of the run.
        seed: u64,
        /// Epoch, counted from 0.
        epoch: u64,
    },
    /// The middle of the source, never flipped.
    Fixed,
}

/// One clip and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The pixels.
    pub clip: Clip,
    /// Index into [`Dataset::classes`].
    pub label: Option<usize>,
    /// Path below the data set's root, or a description of a drawn clip.
    pub name: String,
    /// First frame of the window in its source.
    pub start_frame: usize,
    /// How many frames are the source's own; the rest repeat the last of them.
    pub real_frames: usize,
    /// Number of the source in its data set, the same in every split and run.
    pub index: u64,
}

/// Clips by index.
pub trait Dataset: Send + Sync {
    /// Names of the classes, in label order; empty where there are no labels.
    fn classes(&self) -> &[String];

    /// Number of clips of a split.
    fn len(&self, split: Split) -> usize;

    /// Whether a split has no clip.
    fn is_empty(&self, split: Split) -> bool {
        self.len(split) == 0
    }

    /// Reads or draws a clip; the same arguments give the same pixels.
    ///
    /// # Errors
    /// When the clip cannot be decoded. [`DataError::skippable`] tells whether a run may go on without it.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::len`].
    fn sample(&self, split: Split, index: usize, window: Window) -> Result<Sample, DataError>;

    /// SHA-256, in hexadecimal, of the settings and of the files with their sizes and times.
    fn fingerprint(&self) -> String;

    /// The files found wanting so far.
    fn problems(&self) -> &Problems;

    /// What to call it in messages.
    fn name(&self) -> String;
}

/// The first `limit` clips of a split that decode, in fixed order with fixed windows, read ahead by `workers` threads. The order
/// within a split is shuffled once for all, so that a few clips are of several classes.
///
/// # Errors
/// When the split is empty or a thread does not start.
pub fn fixed(dataset: Arc<dyn Dataset>, split: Split, limit: usize, workers: usize) -> Result<FixedClips, DataError> {
    if dataset.is_empty(split) {
        return Err(DataError::EmptySplit { split, source_name: dataset.name() });
    }
    let reader = dataset.clone();
    let pool = Pool::new(workers, move |index| reader.sample(split, index, Window::Fixed))?;
    Ok(FixedClips { dataset, split, pool, queued: 0, ahead: 2 * workers.max(1), left: limit, first: None, given: 0 })
}

/// Iterator over evaluation clips; see [`fixed`]. Gives an error when none decodes.
pub struct FixedClips {
    dataset: Arc<dyn Dataset>,
    split: Split,
    pool: Pool<usize, Result<Sample, DataError>>,
    queued: usize,
    ahead: usize,
    left: usize,
    first: Option<String>,
    given: usize,
}

impl Iterator for FixedClips {
    type Item = Result<Sample, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let len = self.dataset.len(self.split);
            while self.queued < len && self.pool.pending() < self.ahead.min(self.left) {
                self.pool.push(self.queued);
                self.queued += 1;
            }
            match self.pool.pop()? {
                Ok(Ok(sample)) => {
                    self.left -= 1;
                    self.given += 1;
                    return Some(Ok(sample));
                }
                Ok(Err(error)) => {
                    let Some((path, reason)) = error.skippable() else {
                        self.left = 0;
                        return Some(Err(error));
                    };
                    self.dataset.problems().record(path, &reason);
                    let first = self.first.get_or_insert_with(|| error.to_string()).clone();
                    if self.given == 0 && self.queued == len && self.pool.pending() == 0 {
                        self.left = 0;
                        return Some(Err(DataError::NothingDecodes { split: self.split, tried: len, first }));
                    }
                }
                Err(error) => {
                    self.left = 0;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
