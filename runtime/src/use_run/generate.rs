//! Clips that never were.

use std::path::{Path, PathBuf};

use larp_traits::{ConditionKind, Stream};

use super::{TrainedRun, generate_clips};
use crate::RuntimeError;
use crate::clip::Clip;
use crate::media::{picture_scale, write_clip};
use crate::pipeline::{PipelineError, SamplingSettings};
use crate::report::generated_name;

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateRequest {
    /// Labels of the classes; none for all of them, or for clips of no class where the run has no classes.
    pub classes: Vec<usize>,
    /// Clips of each.
    pub count: usize,
    /// How tokens are drawn.
    pub sampling: SamplingSettings,
    /// The same seed gives the same clips.
    pub seed: u64,
}

/// A generated clip.
#[derive(Debug, Clone)]
pub struct GeneratedClip {
    /// Its class, if the run has classes.
    pub class: Option<String>,
    /// Its number within the class.
    pub index: usize,
    /// The clip.
    pub clip: Clip,
}

impl TrainedRun {
    /// Generates clips.
    ///
    /// # Errors
    /// When a sampling setting is out of range, or the generator is not trained or predicts frames.
    pub fn generate(&self, request: &GenerateRequest) -> Result<Vec<GeneratedClip>, RuntimeError> {
        let name = self.pipeline.name.clone();
        request.sampling.check().map_err(|source| PipelineError::Settings { name, source })?;
        if let ConditionKind::Frames(_) = self.condition()? {
            return Err(RuntimeError::Request(format!(
                "the generator of `{}` goes on from first frames, not from classes; use `predict` with a video",
                self.pipeline.name
            )));
        }
        let generator = self.generator()?;
        let wanted: Vec<Option<usize>> = match (self.classes.is_empty(), request.classes.is_empty()) {
            (true, _) => vec![None],
            (false, true) => (0..self.classes.len()).map(Some).collect(),
            (false, false) => request.classes.iter().copied().map(Some).collect(),
        };
        let labels: Vec<Option<usize>> = wanted.iter().flat_map(|&class| std::iter::repeat_n(class, request.count)).collect();
        let stream = Stream::new(request.seed).fork("generate");
        let clips = generate_clips(&self.tokenizer, &generator, &labels, &request.sampling.into(), stream, self.device());
        let named = clips.into_iter().zip(&labels).enumerate().map(|(number, (clip, label))| GeneratedClip {
            class: label.map(|label| self.classes[label].clone()),
            index: number % request.count,
            clip,
        });
        Ok(named.collect())
    }
}

impl GeneratedClip {
    /// Writes it as `CLASS-INDEX.gif` and, on request, as mp4; gives the files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, with_mp4: bool) -> Result<Vec<PathBuf>, RuntimeError> {
        let name = generated_name(self.class.as_deref().unwrap_or("any"), self.index);
        Ok(write_clip(&folder.join(name), &self.clip, picture_scale(self.clip.shape.width), with_mp4)?)
    }
}
