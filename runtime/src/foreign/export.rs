//! A run to the files of another program.

use std::path::PathBuf;

use larp_traits::foreign::{self, NamedTensor, layouts};
use larp_traits::weights;

use super::model::{sections, sequence};
use super::tensors::write;
use super::{ImportError, part_of};
use crate::RuntimeError;
use crate::media::write_atomically;
use crate::report::{Stage, write_json};
use crate::run::RunFolder;
use crate::train::newest;

/// What to export.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The run folder.
    pub run: PathBuf,
    /// Which model of it.
    pub stage: Stage,
    /// The folder to write `config.json` and `model.safetensors` into.
    pub output: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Both files.
    pub files: [PathBuf; 2],
    /// The layout.
    pub layout: &'static str,
    /// Tensors in the file.
    pub tensors: usize,
    /// Steps that the model was trained for here.
    pub step: u64,
}

/// Writes the newest checkpoint of a stage, its average where there is one, as another program saves it.
///
/// # Errors
/// When there is none, or the model has no equivalent in any layout.
pub fn export(request: &ExportRequest) -> Result<Exported, RuntimeError> {
    let run = RunFolder::open(&request.run)?;
    let pipeline = run.pipeline()?;
    let stage = request.stage;
    let Some(checkpoint) = newest(&run.path, stage)? else {
        return Err(RuntimeError::Run { path: run.path, message: format!("it holds no trained {stage}") });
    };
    let (sections, sequence) = (sections(&pipeline)?, sequence(&pipeline, run.data()?.classes.len())?);
    let wanted = foreign::ExportRequest { part: part_of(stage), sections: &sections, sequence };
    let mut reasons = Vec::new();
    let written = layouts().into_iter().find_map(|layout| match (layout.write)(&wanted) {
        Ok(exported) => Some((layout.name, exported)),
        Err(error) => {
            reasons.push(format!("{}: {error}", layout.name));
            None
        }
    });
    let Some((layout, exported)) = written else {
        return Err(ImportError::NoLayout { stage, pipeline: pipeline.name, reasons }.into());
    };
    let failed = |source| ImportError::Settings { source_name: request.run.display().to_string(), source };
    let weights = weights::read(&checkpoint.weights()).map_err(ImportError::from)?;
    let mut tensors = exported.names.computed();
    for (name, tensor) in &weights.tensors {
        let values = tensor.f32().map_err(ImportError::from)?;
        let ours = NamedTensor { name: name.clone(), shape: tensor.shape.clone(), values };
        tensors.push(exported.names.to_theirs(ours).map_err(failed)?);
    }
    let files = [request.output.join("config.json"), request.output.join("model.safetensors")];
    // PyTorch's readers want to be told that the tensors are theirs
    write_atomically(&files[1], |path| write(path, &tensors, ("format", "pt")))?;
    write_json(&files[0], &exported.settings)?;
    Ok(Exported { files, layout, tensors: tensors.len(), step: checkpoint.step })
}
