//! What a pipeline consists of, without allocating it.

use std::path::PathBuf;

use larp_traits::tensor::cpu;
use larp_traits::{ConditionKind, params};
use serde::Serialize;

use crate::RuntimeError;
use crate::pipeline::{Pipeline, Plan};

/// One part of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartInfo {
    /// `encoder`, `project_in`, ...
    pub part: &'static str,
    /// The plugin's name; none for the projections.
    pub plugin: Option<String>,
    /// Shape of what it takes.
    pub input: Vec<usize>,
    /// Shape of what it gives.
    pub output: Vec<usize>,
    /// Number of learned values.
    pub parameters: usize,
}

/// A pipeline as `inspect` shows it; shapes are without the batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Its name.
    pub pipeline: String,
    /// The parts, in the order in which data flows.
    pub parts: Vec<PartInfo>,
    /// Learned values of the tokenizer without its prior.
    pub tokenizer_parameters: usize,
    /// Learned values in all.
    pub total_parameters: usize,
    /// Tokens a clip.
    pub tokens: usize,
    /// Number of distinct tokens.
    pub vocab_size: usize,
    /// Bits a clip.
    pub bits: f64,
    /// Classes of the data.
    pub classes: usize,
    /// Published files that training reads.
    pub files: Vec<FileInfo>,
}

/// A published file of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileInfo {
    /// What it is.
    pub what: &'static str,
    /// Where it is looked for.
    pub path: PathBuf,
    /// Whether there is a file; training checks what is in it.
    pub there: bool,
}

/// Looks at a pipeline.
///
/// # Errors
/// When its parts do not fit, or its data cannot be opened (the classes are counted).
pub fn inspect(pipeline: &Pipeline) -> Result<Inspection, RuntimeError> {
    pipeline.plan()?;
    inspect_with_classes(pipeline, pipeline.data.open(pipeline.clip.shape())?.classes().len())
}

/// Looks at the pipeline of a run, whose classes are known without its data.
///
/// # Errors
/// When its parts do not fit.
pub fn inspect_with_classes(pipeline: &Pipeline, classes: usize) -> Result<Inspection, RuntimeError> {
    let plan = pipeline.plan()?;
    let tokenizer = pipeline.outline_tokenizer(&cpu())?;
    let generator = pipeline.outline_generator(classes, &cpu())?;
    let critic = pipeline.outline_critic(&cpu())?;
    let Plan { video, encoder, quantizer, decoder } = plan;
    let clip = vec![video.channels, video.frames, video.height, video.width];
    let latents = |dim| vec![encoder.tokens, dim];
    let tokens = vec![encoder.tokens];
    let part = |part, plugin: Option<&str>, input: &[usize], output: &[usize], parameters| PartInfo {
        part,
        plugin: plugin.map(str::to_owned),
        input: input.to_vec(),
        output: output.to_vec(),
        parameters,
    };
    let mut parts = vec![
        part("encoder", Some(pipeline.encoder.typetag_name()), &clip, &latents(encoder.dim), params::count(&tokenizer.encoder)),
        part("project_in", None, &latents(encoder.dim), &latents(quantizer.code_dim), params::count(&tokenizer.project_in)),
        part(
            "quantizer",
            Some(pipeline.quantizer.typetag_name()),
            &latents(quantizer.code_dim),
            &tokens,
            params::count(&tokenizer.quantizer),
        ),
        part("project_out", None, &latents(quantizer.code_dim), &latents(decoder.dim), params::count(&tokenizer.project_out)),
        part("decoder", Some(pipeline.decoder.typetag_name()), &latents(decoder.dim), &clip, params::count(&tokenizer.decoder)),
    ];
    if let Some(norm) = &tokenizer.norm {
        let shape = latents(quantizer.code_dim);
        parts.insert(2, part("norm", None, &shape, &shape, params::count(norm)));
    }
    let tokenizer_parameters = parts.iter().map(|part| part.parameters).sum();
    if let (Some(settings), Some(prior)) = (&pipeline.prior, &tokenizer.prior) {
        let (input, output) = (latents(quantizer.code_dim), [encoder.tokens - 1, quantizer.vocab_size]);
        parts.push(part("prior", Some(settings.typetag_name()), &input, &output, params::count(prior)));
    }
    if let (Some(settings), Some(generator)) = (&pipeline.generator, &generator) {
        let input: &[usize] = match generator.condition() {
            ConditionKind::Class => &[],
            // the tokens of the given frames
            ConditionKind::Frames(_) => &tokens,
        };
        parts.push(part("generator", Some(settings.typetag_name()), input, &tokens, params::count(generator)));
    }
    if let (Some(settings), Some(critic)) = (&pipeline.critic, &critic) {
        parts.push(part("critic", Some(settings.typetag_name()), &clip, &[1], params::count(critic)));
    }
    if let Some(perceptual) = &pipeline.perceptual {
        // its weights are fixed
        parts.push(part("perceptual", Some(perceptual.typetag_name()), &clip, &[1], 0));
    }
    let files = pipeline.files().into_iter();
    let files = files.map(|file| FileInfo { what: file.what, there: file.is_there(), path: file.path }).collect();
    Ok(Inspection {
        pipeline: pipeline.name.clone(),
        tokenizer_parameters,
        total_parameters: parts.iter().map(|part| part.parameters).sum(),
        parts,
        tokens: encoder.tokens,
        vocab_size: quantizer.vocab_size,
        bits: plan.bits_per_clip(),
        classes,
        files,
    })
}
