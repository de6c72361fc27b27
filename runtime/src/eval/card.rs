//! The protocol card: what it takes to get a number again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::metric::Metric;
use crate::clip::ClipShape;
use crate::pipeline::SamplingSettings;
use crate::predict::GivenFrames;

/// A checkpoint, known by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointCard {
    /// Steps it was trained for.
    pub step: u64,
    /// SHA-256 of its parameters.
    pub sha256: String,
}

/// The network of a Fréchet distance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureCard {
    /// What the distance is called.
    pub distance: String,
    /// Values a clip.
    pub dim: usize,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
}

/// How tokens were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplingCard {
    /// Classifier-free guidance.
    pub cfg_scale: f64,
    /// Divides the logits.
    pub temperature: f64,
    /// 0 is all.
    pub top_k: usize,
    /// 1 is all.
    pub top_p: f64,
    /// Which frames a predicted clip begins with, in frame prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_frames: Option<GivenFrames>,
}

impl SamplingCard {
    pub(super) fn new(settings: SamplingSettings, predicts_frames: bool) -> Self {
        let SamplingSettings { cfg_scale, temperature, top_k, top_p, given_frames } = settings;
        Self { cfg_scale, temperature, top_k, top_p, given_frames: predicts_frames.then_some(given_frames) }
    }
}

/// The card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Name and version of the program.
    pub program: String,
    /// All settings of the protocol, with what was changed.
    pub protocol: Value,
    /// What was changed over the protocol of that name.
    pub changes: Vec<String>,
    /// What was measured.
    pub metrics: Vec<Metric>,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Where the clips are from.
    pub data: String,
    /// Clips that were asked for.
    pub clips: usize,
    /// Shape of the clips that the tokenizer sees.
    pub clip: ClipShape,
    /// Resizing to that shape.
    pub resize: String,
    /// Type of the numbers in the models; the statistics are float64.
    pub dtype: String,
    /// What computed: `cpu`, `libtorch`, `cuda`.
    pub backend: String,
    /// The tokenizer.
    pub tokenizer: CheckpointCard,
    /// The generator, where it was needed.
    pub generator: Option<CheckpointCard>,
    /// How its tokens were drawn.
    pub sampling: Option<SamplingCard>,
    /// The network of the distances, where it was needed.
    pub features: Option<FeatureCard>,
    /// SHA-256 of the list of clips with the content of each; in a shard not known yet.
    pub clip_list_sha256: Option<String>,
}

impl Card {
    /// What the shards of one measurement have in common: the path of the data and the device may differ between machines.
    pub(super) fn identity(&self) -> Self {
        Self { data: String::new(), backend: String::new(), clip_list_sha256: None, ..self.clone() }
    }

    /// What two results must have in common for their numbers to be compared: all but the models.
    pub fn conditions(&self) -> Vec<(&'static str, String)> {
        vec![
            ("protocol", json(&self.protocol)),
            ("clips", self.clips.to_string()),
            ("clip list", self.clip_list_sha256.clone().unwrap_or_default()),
            ("clip shape", json(&self.clip)),
            ("resize", self.resize.clone()),
            ("feature network", self.features.as_ref().map(json).unwrap_or_default()),
            ("dtype", self.dtype.clone()),
            ("program", self.program.clone()),
        ]
    }
}

/// Any value as JSON text.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
