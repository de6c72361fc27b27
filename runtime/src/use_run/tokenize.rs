//! Tokens of files.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::{CLIPS_AT_ONCE, InputClip, TrainedRun};
use crate::RuntimeError;
use crate::data::{DataError, Sample};
use crate::evaluate::batches;
use crate::tokens::Tokens;

/// Tokens of clips, and which clips they are.
#[derive(Debug, Clone)]
pub struct TokenizedClips {
    /// The tokens; without labels.
    pub tokens: Tokens,
    /// One for each sequence.
    pub clips: Vec<ClipOrigin>,
}

/// Where a clip is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClipOrigin {
    /// The file.
    pub name: String,
    /// Its first frame in the file.
    pub start_frame: usize,
    /// Frames that the file has; the last one is repeated up to the end of the clip.
    pub real_frames: usize,
}

impl ClipOrigin {
    /// Of a clip of a file.
    pub fn of(clip: &InputClip) -> Self {
        let Sample { start_frame, real_frames, .. } = clip.sample;
        Self { name: clip.source.display().to_string(), start_frame, real_frames }
    }
}

impl TrainedRun {
    /// Tokens of clips.
    ///
    /// # Errors
    /// When the data fails for good, or there is no clip at all.
    pub fn tokenize(&self, clips: impl Iterator<Item = Result<InputClip, DataError>>) -> Result<TokenizedClips, RuntimeError> {
        let mut done = TokenizedClips { tokens: Tokens::new(self.pipeline.plan()?.encoder.tokens), clips: Vec::new() };
        for batch in batches(clips, CLIPS_AT_ONCE) {
            let batch = batch?;
            done.clips.extend(batch.iter().map(ClipOrigin::of));
            let samples: Vec<Sample> = batch.into_iter().map(|clip| clip.sample).collect();
            done.tokens.add(&self.tokenizer, &samples, None, self.device());
        }
        if done.clips.is_empty() {
            return Err(RuntimeError::Request("there is nothing to tokenize: no input could be read".into()));
        }
        Ok(done)
    }

    /// Writes tokens with their origins in the metadata: `names`, `start_frames` and `real_frames` as JSON arrays, and which run and step
    /// they are of.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_tokens(&self, path: &Path, tokenized: &TokenizedClips) -> Result<(), RuntimeError> {
        let json = |values: Vec<serde_json::Value>| serde_json::Value::from(values).to_string();
        let each = |value: fn(&ClipOrigin) -> serde_json::Value| json(tokenized.clips.iter().map(value).collect());
        let metadata = [
            ("names", each(|clip| clip.name.as_str().into())),
            ("start_frames", each(|clip| clip.start_frame.into())),
            ("real_frames", each(|clip| clip.real_frames.into())),
            ("pipeline", self.pipeline.name.clone()),
            ("run", self.run.path.display().to_string()),
            ("step", self.step.to_string()),
        ];
        tokenized.tokens.save(path, HashMap::from(metadata.map(|(key, value)| (key.to_owned(), value))))
    }
}
