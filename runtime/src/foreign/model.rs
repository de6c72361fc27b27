//! A model of another program in the words of a pipeline.

use larp_traits::foreign::{ExportRequest, ForeignModel, ForeignPart, Layout, Names, Sequence, TensorShape, layouts};
use serde_json::{Map, Value};

use super::ImportError;
use super::source::Found;
use crate::RuntimeError;
use crate::pipeline::Pipeline;

/// What was found, understood.
pub(super) struct Model {
    pub found: Found,
    pub layout: &'static Layout,
    pub model: ForeignModel,
}

impl Model {
    /// By the settings that the model brings.
    pub fn of_settings(found: Found, settings: &Value) -> Result<Self, ImportError> {
        let known = layouts();
        let Some(layout) = known.iter().find(|layout| (layout.recognises)(settings).is_some()) else {
            let known = known.iter().map(|layout| layout.name).collect();
            return Err(ImportError::UnknownLayout { source_name: found.source, known });
        };
        let shape = |(name, tensor): (&String, &larp_traits::weights::WeightTensor)| TensorShape {
            name: name.clone(),
            shape: tensor.shape.clone(),
        };
        let shapes: Vec<TensorShape> = found.tensors.iter().map(shape).collect();
        match (layout.read)(settings, &shapes) {
            Ok(model) => Ok(Self { found, layout, model }),
            Err(source) => Err(ImportError::Settings { source_name: found.source, source }),
        }
    }

    /// By a pipeline of ours that says what the model is: the model whose tensors have the names of most of those found.
    pub fn of_pipeline(found: Found, pipeline: &Pipeline, classes: usize) -> Result<Self, RuntimeError> {
        let (sections, sequence) = (sections(pipeline)?, sequence(pipeline, classes)?);
        let mut reasons = Vec::new();
        let mut best: Option<(usize, &'static Layout, ForeignPart, Box<dyn Names>)> = None;
        for layout in layouts() {
            for part in [ForeignPart::Tokenizer, ForeignPart::Generator] {
                if part == ForeignPart::Generator && pipeline.generator.is_none() {
                    continue;
                }
                match (layout.write)(&ExportRequest { part, sections: &sections, sequence }) {
                    Err(error) => reasons.push(format!("{part}: {error}")),
                    Ok(exported) => {
                        let known = found.tensors.keys().filter(|name| exported.names.knows(name)).count();
                        if known > best.as_ref().map_or(0, |(most, ..)| *most) {
                            best = Some((known, layout, part, exported.names));
                        }
                    }
                }
            }
        }
        let Some((_, layout, part, names)) = best else {
            let (source_name, pipeline) = (found.source, pipeline.name.clone());
            return Err(ImportError::NoModel { source_name, pipeline, reasons }.into());
        };
        let sequence = (part == ForeignPart::Generator).then_some(sequence);
        Ok(Self { found, layout, model: ForeignModel { part, sections: Map::new(), sequence, names } })
    }
}

/// The sections of a resolved pipeline.
pub(super) fn sections(pipeline: &Pipeline) -> Result<Map<String, Value>, RuntimeError> {
    match serde_json::to_value(pipeline) {
        Ok(Value::Object(sections)) => Ok(sections),
        other => Err(RuntimeError::Request(format!("the pipeline `{}` has no JSON form: {other:?}", pipeline.name))),
    }
}

/// What a generator is told by a pipeline.
pub(super) fn sequence(pipeline: &Pipeline, classes: usize) -> Result<Sequence, RuntimeError> {
    let plan = pipeline.plan()?;
    Ok(Sequence { tokens: plan.encoder.tokens, vocab_size: plan.quantizer.vocab_size, classes })
}
