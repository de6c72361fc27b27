//! Clips of several things that a user names.

use std::path::{Path, PathBuf};

use super::TrainedRun;
use crate::clip::ClipShape;
use crate::data::{DataError, DataSettings, Problem, Problems, Sample, WindowPolicy, Windows, windows};

/// A clip of a file.
#[derive(Debug, Clone)]
pub struct InputClip {
    /// The file, as the user's path leads to it.
    pub source: PathBuf,
    /// The clip and where in the file it starts.
    pub sample: Sample,
}

/// The clips of several inputs, one input after the other; see [`TrainedRun::clips`].
pub struct InputClips {
    inputs: std::vec::IntoIter<PathBuf>,
    shape: ClipShape,
    policy: WindowPolicy,
    stride: usize,
    open: Option<(PathBuf, Windows)>,
    problems: Problems,
    inner: Vec<Problem>,
}

impl TrainedRun {
    /// Clips of videos, GIFs, folders of images, or folders of those, in the shape and with the frame distance that the tokenizer was
    /// trained with. What cannot be read is warned of, listed in [`InputClips::problems`] and left out.
    pub fn clips(&self, inputs: Vec<PathBuf>, policy: WindowPolicy) -> InputClips {
        let stride = match &self.pipeline.data {
            DataSettings::Video(settings) => settings.frame_stride,
            DataSettings::Procedural(_) => 1,
        };
        InputClips {
            inputs: inputs.into_iter(),
            shape: self.pipeline.clip.shape(),
            policy,
            stride,
            open: None,
            problems: Problems::default(),
            inner: Vec::new(),
        }
    }
}

impl InputClips {
    /// What was left out so far.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.list();
        problems.extend(self.inner.iter().cloned());
        if let Some((_, windows)) = &self.open {
            problems.extend(windows.problems().list());
        }
        problems.sort_by(|a, b| a.path.cmp(&b.path));
        problems.dedup_by(|a, b| a.path == b.path);
        problems
    }

    fn close(&mut self) {
        if let Some((_, windows)) = self.open.take() {
            self.inner.extend(windows.problems().list());
        }
    }

    /// An input's error: fatal, or one more to go on without.
    fn leave_out(&mut self, error: DataError) -> Result<(), DataError> {
        self.close();
        match error.skippable() {
            Some((path, reason)) => {
                // the inner list has warned of it where it was in a folder
                if !self.inner.iter().any(|problem| problem.path == path) {
                    self.problems.record(path, &reason);
                }
                Ok(())
            }
            None => Err(error),
        }
    }
}

impl Iterator for InputClips {
    type Item = Result<InputClip, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let result = match &mut self.open {
                Some((input, windows)) => match windows.next() {
                    Some(sample) => sample.map(|sample| Some(InputClip { source: source_of(input, &sample.name), sample })),
                    None => {
                        self.close();
                        continue;
                    }
                },
                None => {
                    let input = self.inputs.next()?;
                    windows(&input, self.shape, self.policy, self.stride).map(|windows| {
                        self.open = Some((input, windows));
                        None
                    })
                }
            };
            match result {
                Ok(Some(clip)) => return Some(Ok(clip)),
                Ok(None) => {}
                Err(error) => {
                    if let Err(error) = self.leave_out(error) {
                        self.inputs.by_ref().for_each(drop);
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

/// A sample's name counts from the folder that was named; a file is its own name.
fn source_of(input: &Path, name: &str) -> PathBuf {
    let below = input.join(name);
    if below.exists() { below } else { input.to_owned() }
}
