//! What a trained run is used for: tokens of files, reconstructions, generated and predicted clips.

mod generate;
mod inputs;
mod predict;
mod reconstruct;
mod tokenize;

use std::path::Path;

use burn::module::Module;
use larp_traits::{
    Condition, ConditionKind, Device, Draw, DynGenerator, Int, Sampling, Stream, Tensor, burn::tensor::TensorData, state,
};

use crate::RuntimeError;
use crate::clip::Clip;
use crate::convert::to_clips;
use crate::model::Tokenizer;
use crate::pipeline::Pipeline;
use crate::report::Stage;
use crate::run::RunFolder;
use crate::train::{Checkpoint, newest};

pub use generate::{GenerateRequest, GeneratedClip};
pub use inputs::{InputClip, InputClips};
pub use predict::{PredictRequest, PredictedClip};
pub use reconstruct::ReconstructedClip;
pub use tokenize::{ClipOrigin, TokenizedClips};

/// Clips that go through the tokenizer at once.
pub(crate) const CLIPS_AT_ONCE: usize = 8;

/// Sequences that are generated at once.
pub(crate) const GENERATED_AT_ONCE: usize = 32;

/// A run with its trained tokenizer.
#[derive(Debug)]
pub struct TrainedRun {
    /// Its settings.
    pub pipeline: Pipeline,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Without gradients and prior.
    pub tokenizer: Tokenizer,
    /// Steps that the tokenizer was trained for.
    pub step: u64,
    run: RunFolder,
    device: Device,
}

impl TrainedRun {
    /// Opens a run folder.
    ///
    /// # Errors
    /// When there is no run, or no trained tokenizer in it.
    pub fn open(path: &Path, device: &Device) -> Result<Self, RuntimeError> {
        let run = RunFolder::open(path)?;
        let pipeline = run.pipeline()?;
        let classes = run.data()?.classes;
        let checkpoint = checkpoint(&run, Stage::Tokenizer)?;
        let tokenizer = load_tokenizer(&pipeline, &checkpoint, device)?;
        Ok(Self { pipeline, classes, tokenizer, step: checkpoint.step, run, device: device.clone() })
    }

    /// Where its tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.run.path
    }

    /// What to call it: the name of its folder.
    pub fn name(&self) -> String {
        let path = self.path();
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// What its generator is told of a clip.
    ///
    /// # Errors
    /// When the pipeline has none.
    pub fn condition(&self) -> Result<ConditionKind, RuntimeError> {
        Ok(self.outline_generator()?.condition())
    }

    fn outline_generator(&self) -> Result<DynGenerator, RuntimeError> {
        self.pipeline
            .outline_generator(self.classes.len(), &self.device)?
            .ok_or_else(|| RuntimeError::Request(format!("the pipeline `{}` has no generator", self.pipeline.name)))
    }

    /// Its trained generator, without gradients.
    ///
    /// # Errors
    /// When the pipeline has none, or it is not trained yet.
    pub fn generator(&self) -> Result<DynGenerator, RuntimeError> {
        let mut generator = self.outline_generator()?;
        state::load_file(&mut generator, &checkpoint(&self.run, Stage::Generator)?.weights())?;
        Ok(generator.no_grad())
    }

    /// The newest checkpoint of a stage.
    ///
    /// # Errors
    /// When the stage is not trained yet.
    pub fn checkpoint(&self, stage: Stage) -> Result<Checkpoint, RuntimeError> {
        checkpoint(&self.run, stage)
    }

    /// The label of a class by its name or number.
    ///
    /// # Errors
    /// When there is none: the error lists the classes, nearest first.
    pub fn class(&self, name: &str) -> Result<usize, RuntimeError> {
        let by_name = self.classes.iter().position(|class| class == name);
        let by_number = || name.parse().ok().filter(|&index: &usize| index < self.classes.len());
        by_name.or_else(by_number).ok_or_else(|| {
            let known = larp_traits::registry::nearest_first(name, self.classes.iter().map(String::as_str));
            let count = known.len();
            RuntimeError::Request(format!("there is no class `{name}` among the {count} of this run: {}", known.join(", ")))
        })
    }
}

fn checkpoint(run: &RunFolder, stage: Stage) -> Result<Checkpoint, RuntimeError> {
    newest(&run.path, stage)?.ok_or_else(|| RuntimeError::Run {
        path: run.path.clone(),
        message: format!("its {stage} is not trained yet; go on with `train --resume`"),
    })
}

/// The tokenizer of a checkpoint, without gradients and prior.
pub(crate) fn load_tokenizer(pipeline: &Pipeline, checkpoint: &Checkpoint, device: &Device) -> Result<Tokenizer, RuntimeError> {
    let mut tokenizer = pipeline.outline_tokenizer(device)?;
    state::load_file(&mut tokenizer, &checkpoint.weights())?;
    tokenizer.prior = None;
    Ok(tokenizer.no_grad())
}

/// A clip for each label; `None` is no class. Both models must be without gradients.
pub fn generate_clips(
    tokenizer: &Tokenizer,
    generator: &DynGenerator,
    labels: &[Option<usize>],
    sampling: &Sampling,
    stream: Stream,
    device: &Device,
) -> Vec<Clip> {
    let mut clips = Vec::with_capacity(labels.len());
    for (index, part) in labels.chunks(GENERATED_AT_ONCE).enumerate() {
        let tokens = generate_tokens(generator, part, sampling, stream.at(index as u64), device);
        clips.extend(to_clips(tokenizer.decode_tokens(tokens)));
    }
    clips
}

/// A sequence for each label; `None` is no class. The generator must be without gradients.
///
/// # Shapes
/// - output: `[labels, tokens]`
pub(crate) fn generate_tokens(
    generator: &DynGenerator,
    part: &[Option<usize>],
    sampling: &Sampling,
    stream: Stream,
    device: &Device,
) -> Tensor<2, Int> {
    let condition = match part.iter().copied().collect::<Option<Vec<usize>>>() {
        Some(classes) => {
            let classes: Vec<i32> = classes.into_iter().map(|class| class as i32).collect();
            Condition::Classes(Tensor::<1, Int>::from_data(TensorData::new(classes, [part.len()]), device))
        }
        None => Condition::Unconditional(part.len()),
    };
    generator.generate(&condition, sampling, Draw::Stream(stream))
}
