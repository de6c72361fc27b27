//! Checkpoints of other programs to a run folder.

use std::path::{Path, PathBuf};

use larp_traits::foreign::{ForeignPart, NamedTensor};
use larp_traits::params;
use larp_traits::tensor::cpu;
use toml::{Table, Value};

use super::model::{Model, sequence};
use super::source::{self, Average};
use super::tensors::{arrange, write};
use super::{ImportError, stage_of};
use crate::RuntimeError;
use crate::pipeline::{Pipeline, Source};
use crate::report::{Stage, files};
use crate::run::{DataRecord, Origin, RunFolder, RunRecord};
use crate::train::{newest, write_imported};

/// What to import.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Folders, files or hub ids: a tokenizer, a generator, or both.
    pub sources: Vec<String>,
    /// The pipeline of weights that come without settings: a file, or a built-in one.
    pub pipeline: Option<String>,
    /// An average of the parameters instead of them.
    pub average: Option<Average>,
    /// Names of the classes of a generator; numbers where there are none.
    pub classes: Vec<String>,
    /// The run folder: a new one, or one with a tokenizer and without a generator.
    pub run: PathBuf,
}

/// A model that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Where it is from.
    pub origin: Origin,
    /// Tensors that it has here.
    pub tensors: usize,
    /// Values that are learned.
    pub parameters: usize,
}

/// Makes a run folder as training leaves it. Nothing is written before all is known to fit.
///
/// # Errors
/// When a source cannot be read or understood, its tensors are not those of its settings, or the parts do not fit each other.
pub fn import(request: &ImportRequest) -> Result<Vec<Imported>, RuntimeError> {
    let run = RunFolder { path: request.run.clone() };
    let there = run.path.join(files::PIPELINE).is_file();
    let base = request.pipeline.as_deref().map(Source::open).transpose()?;
    let models = open_all(request, base.as_ref())?;
    let old = if there { Some(open_for_generator(&run.path, &models)?) } else { None };
    let table = match (&old, base) {
        (Some((_, table)), _) => table.clone(),
        (None, Some(base)) => base.table,
        (None, None) => Table::new(),
    };
    if let (None, [Model { found, model, .. }]) = (&old, models.as_slice())
        && model.part == ForeignPart::Generator
    {
        return Err(ImportError::NoTokenizer { source_name: found.source.clone() }.into());
    }
    let pipeline = assemble(table, &models, request)?;
    let old_classes = old.as_ref().map(|(data, _)| data.classes.as_slice()).unwrap_or_default();
    let classes = classes(&models, &pipeline, request, old_classes)?;
    let arranged = models.iter().map(|model| tensors(model, &pipeline, classes.len())).collect::<Result<Vec<_>, _>>()?;
    let mut record = if there { run.record()? } else { RunRecord::default() };
    let mut imported = Vec::new();
    for (Model { found, layout, model }, tensors) in models.iter().zip(&arranged) {
        let stage = stage_of(model.part);
        write_imported(&run.path, stage, |path| write(path, tensors, ("producer", "larp-rs")))?;
        let (source, layout) = (found.source.clone(), layout.name.to_owned());
        let origin = Origin { stage, source, layout, average: found.average.clone() };
        record.imported.push(origin.clone());
        let parameters = tensors.iter().map(|tensor| tensor.values.len()).sum();
        imported.push(Imported { origin, tensors: tensors.len(), parameters });
    }
    let settings = toml::to_string(&pipeline).map_err(|error| RuntimeError::content(&run.path, error))?;
    let data = old.map(|(data, _)| data).unwrap_or(DataRecord { classes: Vec::new(), fingerprint: String::new() });
    run.write(&settings, &DataRecord { classes, ..data }, &record)?;
    Ok(imported)
}

fn open_all(request: &ImportRequest, base: Option<&Source>) -> Result<Vec<Model>, RuntimeError> {
    let mut models: Vec<Model> = Vec::new();
    for name in &request.sources {
        let found = source::open(name, request.average.as_ref())?;
        let model = match (found.settings.clone(), base) {
            (Some(_), Some(_)) => return Err(ImportError::TwoSettings { source_name: name.clone() }.into()),
            (None, None) => return Err(ImportError::NoSettings { source_name: name.clone() }.into()),
            (Some(settings), None) => Model::of_settings(found, &settings)?,
            (None, Some(base)) => {
                let pipeline = base.pipeline()?;
                let classes = match request.classes.len() {
                    0 => pipeline.data.open(pipeline.clip.shape())?.classes().len(),
                    given => given,
                };
                Model::of_pipeline(found, &pipeline, classes)?
            }
        };
        if let Some(other) = models.iter().find(|other| other.model.part == model.model.part) {
            let (first, second) = (other.found.source.clone(), model.found.source);
            return Err(ImportError::Twice { first, second, stage: stage_of(model.model.part) }.into());
        }
        models.push(model);
    }
    models.sort_by_key(|model| model.model.part);
    Ok(models)
}

/// A run that is there may get the generator that it lacks.
fn open_for_generator(path: &Path, models: &[Model]) -> Result<(DataRecord, Table), RuntimeError> {
    let run = RunFolder::open(path)?;
    let is_generator = models.iter().all(|model| model.model.part == ForeignPart::Generator);
    if !is_generator || newest(path, Stage::Generator)?.is_some() || newest(path, Stage::Tokenizer)?.is_none() {
        let message = "there is a run in it already; only a generator can be added, to a run with a tokenizer alone".into();
        return Err(RuntimeError::Run { path: path.into(), message });
    }
    let source = Source::open(&path.join(files::PIPELINE).to_string_lossy())?;
    Ok((run.data()?, source.table))
}

/// The pipeline of the run: the models' sections over those of `table`.
fn assemble(mut table: Table, models: &[Model], request: &ImportRequest) -> Result<Pipeline, RuntimeError> {
    for Model { found, model, .. } in models {
        for (section, values) in &model.sections {
            let values = Value::try_from(values).map_err(|error| RuntimeError::content(&request.run, error))?;
            table.insert(section.clone(), values);
        }
        // of the tokenizer where there is one, since it stands first
        table.entry("name").or_insert_with(|| Value::String(found.name.clone()));
    }
    let text = toml::to_string(&table).map_err(|error| RuntimeError::content(&request.run, error))?;
    let pipeline = Source::parse_text(&request.sources.join(", "), &text)?.pipeline()?;
    pipeline.plan()?;
    Ok(pipeline)
}

/// Names of the classes; checks that the generator is one of this tokenizer and these classes.
fn classes(models: &[Model], pipeline: &Pipeline, request: &ImportRequest, old: &[String]) -> Result<Vec<String>, RuntimeError> {
    let given = if request.classes.is_empty() { old } else { &request.classes };
    let generator = models.iter().find_map(|model| Some((&model.found.source, model.model.sequence?)));
    let Some((source_name, generator)) = generator else { return Ok(given.to_vec()) };
    let tokenizer = sequence(pipeline, generator.classes)?;
    let misfit = |what, found, other, expected| {
        let source_name = source_name.clone();
        ImportError::Misfit { source_name, what, found, other, expected }.into()
    };
    if generator.tokens != tokenizer.tokens {
        return Err(misfit("tokens", generator.tokens, "the tokenizer", tokenizer.tokens));
    }
    if generator.vocab_size != tokenizer.vocab_size {
        return Err(misfit("codes", generator.vocab_size, "the tokenizer", tokenizer.vocab_size));
    }
    if given.is_empty() {
        return Ok((0..generator.classes).map(|class| format!("class-{class:03}")).collect());
    }
    if generator.classes != 0 && given.len() != generator.classes {
        let other = if request.classes.is_empty() { "the run" } else { "the list of names" };
        return Err(misfit("classes", generator.classes, other, given.len()));
    }
    Ok(given.to_vec())
}

fn tensors(model: &Model, pipeline: &Pipeline, classes: usize) -> Result<Vec<NamedTensor>, RuntimeError> {
    let expected = match model.model.part {
        ForeignPart::Tokenizer => params::list(&pipeline.outline_tokenizer(&cpu())?),
        ForeignPart::Generator => {
            pipeline.outline_generator(classes, &cpu())?.map(|model| params::list(&model)).unwrap_or_default()
        }
    };
    Ok(arrange(&model.found.source, &model.found.tensors, model.model.names.as_ref(), &expected)?)
}
