//! What an ablation comes to: variants with checked pipelines, and the runs they need.

use std::path::Path;

use larp_traits::registry::nearest_first;
use serde::Serialize;
use toml::{Table, Value};

use super::difference::{Difference, differences};
use super::error::AblateError;
use super::file::{AblationFile, VariantSettings};
use super::measure::Measure;
use crate::pipeline::{Composition, Pipeline, PipelineError, Source, builtin, compose};
use crate::{RuntimeError, media::FileError};

/// What the command line sets over an ablation file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Other seeds.
    pub seeds: Vec<u64>,
    /// `key=value` over the base, after those of the file.
    pub set: Vec<String>,
    /// Other data, as `train --data` takes it.
    pub data: Option<String>,
}

/// A variant whose pipeline works.
#[derive(Debug, Clone)]
pub struct Variant {
    /// As it is written.
    pub settings: VariantSettings,
    /// The name in paths.
    pub slug: String,
    /// How its pipeline differs from the base.
    pub differences: Vec<Difference>,
    /// Its place on the horizontal axis, where that is a key of the pipeline.
    pub x: Option<f64>,
    /// The curve it belongs to.
    pub series: Option<String>,
    source: Source,
}

/// A training run: a variant with a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SubRun {
    /// Index of the variant.
    pub variant: usize,
    /// The seed.
    pub seed: u64,
}

/// A checked ablation.
#[derive(Debug, Clone)]
pub struct Plan {
    /// As it is written, with seeds and settings of the command line.
    pub file: AblationFile,
    /// Columns of the table.
    pub metrics: Vec<String>,
    /// The variants.
    pub variants: Vec<Variant>,
}

impl Plan {
    /// Builds every variant's pipeline. Relative pipeline files are looked for in `folder`; `measures` say which metrics there are.
    ///
    /// # Errors
    /// When a pipeline cannot work, names are taken twice, a metric is unknown, or a variant that reuses weights needs others.
    pub fn new(
        mut file: AblationFile,
        folder: &Path,
        overrides: &Overrides,
        measures: &[Box<dyn Measure>],
    ) -> Result<Self, AblateError> {
        if !overrides.seeds.is_empty() {
            file.seeds.clone_from(&overrides.seeds);
        }
        file.set.extend(overrides.set.iter().cloned());
        check_names(&file)?;
        let metrics = metrics(&file, measures)?;
        let base = resolved(&source(&file, &file.base, folder, overrides)?)?;
        let mut variants = Vec::new();
        for settings in &file.variants {
            let wrap = |source| AblateError::Variant { variant: settings.name.clone(), source: Box::new(source) };
            let start = source(&file, settings.base.as_ref().unwrap_or(&file.base), folder, overrides)?;
            let composition = Composition { parts: settings.parts(), set: settings.set.clone() };
            let source = compose(start, &composition).map_err(wrap)?;
            let table = resolved(&source)?;
            let plot = file.plot.as_ref();
            variants.push(Variant {
                slug: slug(&settings.name),
                differences: differences(&base, &table),
                x: plot.and_then(|plot| number(find(&table, &plot.x)?)),
                series: plot.and_then(|plot| plot.series.as_ref()).map(|key| find(&table, key).map_or("none".into(), text)),
                settings: settings.clone(),
                source,
            });
        }
        let plan = Self { file, metrics, variants };
        plan.check_reuse()?;
        plan.check_plot(measures)?;
        Ok(plan)
    }

    /// The runs, one seed after the other: an ablation that is stopped has compared all variants on the first seeds.
    pub fn runs(&self) -> Vec<SubRun> {
        let seeds = self.file.seeds.iter();
        let trained = |seed: &u64| {
            let seed = *seed;
            let own = self.variants.iter().enumerate().filter(|(_, variant)| variant.settings.reuse.is_none());
            own.map(move |(variant, _)| SubRun { variant, seed }).collect::<Vec<_>>()
        };
        seeds.flat_map(trained).collect()
    }

    /// The run whose weights a variant is measured with.
    pub fn weights_of(&self, run: SubRun) -> SubRun {
        let variant = match &self.variants[run.variant].settings.reuse {
            Some(name) => self.variants.iter().position(|known| known.settings.name == *name).unwrap_or(run.variant),
            None => run.variant,
        };
        SubRun { variant, ..run }
    }

    /// What is measured of each run: the columns, and what the plots need beside them.
    pub(super) fn wanted(&self) -> Vec<String> {
        let mut names = self.metrics.clone();
        let axis =
            self.file.plot.as_ref().map(|plot| &plot.x).filter(|_| self.variants.iter().any(|variant| variant.x.is_none()));
        names.extend(axis.filter(|name| !self.metrics.contains(name)).cloned());
        names
    }

    /// The variant that is the base itself, if any.
    pub fn reference(&self) -> Option<usize> {
        self.variants.iter().position(|variant| variant.differences.is_empty())
    }

    /// The pipeline of a run.
    ///
    /// # Errors
    /// When it cannot work.
    pub fn pipeline(&self, run: SubRun) -> Result<Pipeline, PipelineError> {
        let mut source = self.variants[run.variant].source.clone();
        source.set(&format!("train.seed={}", run.seed))?;
        source.pipeline()
    }

    fn check_plot(&self, measures: &[Box<dyn Measure>]) -> Result<(), AblateError> {
        let Some(plot) = &self.file.plot else { return Ok(()) };
        let is_metric = measures.iter().any(|measure| measure.names().contains(&plot.x));
        if is_metric || self.variants.iter().all(|variant| variant.x.is_some()) {
            return Ok(());
        }
        let message = format!("`plot.x` is `{}`, which is neither a metric nor a number in every variant's pipeline", plot.x);
        Err(AblateError::Settings { name: self.file.name.clone(), message })
    }

    fn check_reuse(&self) -> Result<(), AblateError> {
        for variant in &self.variants {
            let Some(name) = &variant.settings.reuse else { continue };
            let error = |message| AblateError::Settings { name: self.file.name.clone(), message };
            let own = &variant.settings.name;
            let Some(other) = self.variants.iter().find(|known| known.settings.name == *name) else {
                return Err(error(format!("variant `{own}` reuses `{name}`, which is no variant")));
            };
            if other.settings.reuse.is_some() {
                return Err(error(format!("variant `{own}` reuses `{name}`, which is not trained itself")));
            }
            let trained = differences(&resolved(&other.source)?, &resolved(&variant.source)?);
            if let Some(difference) = trained.iter().find(|difference| !difference.key.starts_with("sampling.")) {
                let message = format!(
                    "variant `{own}` reuses the weights of `{name}`, but would train others ({difference}); only `sampling` may differ"
                );
                return Err(error(message));
            }
        }
        Ok(())
    }
}

fn check_names(file: &AblationFile) -> Result<(), AblateError> {
    let error = |message: String| Err(AblateError::Settings { name: file.name.clone(), message });
    if file.variants.is_empty() {
        return error("it has no variants; write at least one `[[variant]]`".into());
    }
    if file.seeds.is_empty() {
        return error("`seeds` is empty; write at least one".into());
    }
    if let Some(index) = (1..file.seeds.len()).find(|&index| file.seeds[..index].contains(&file.seeds[index])) {
        return error(format!("the seed {} is there twice", file.seeds[index]));
    }
    let slugs: Vec<String> = file.variants.iter().map(|variant| slug(&variant.name)).collect();
    if let Some(index) = slugs.iter().position(String::is_empty) {
        return error(format!("the variant name `{}` has no letter or digit", file.variants[index].name));
    }
    if let Some(index) = (1..slugs.len()).find(|&index| slugs[..index].contains(&slugs[index])) {
        return error(format!("two variants would share the folder `{}`; give them different names", slugs[index]));
    }
    Ok(())
}

fn metrics(file: &AblationFile, measures: &[Box<dyn Measure>]) -> Result<Vec<String>, AblateError> {
    if file.metrics.is_empty() {
        return Ok(super::measure::DEFAULT_METRICS.map(str::to_owned).into());
    }
    let known: Vec<String> = measures.iter().flat_map(|measure| measure.names()).collect();
    match file.metrics.iter().find(|name| !known.contains(name)) {
        None => Ok(file.metrics.clone()),
        Some(name) => {
            let nearest = nearest_first(name, known.iter().map(String::as_str));
            let message = format!("there is no metric `{name}`; known ones are {}", nearest.join(", "));
            Err(AblateError::Settings { name: file.name.clone(), message })
        }
    }
}

/// A pipeline with what the whole ablation sets.
fn source(file: &AblationFile, name: &str, folder: &Path, overrides: &Overrides) -> Result<Source, AblateError> {
    let beside = folder.join(name);
    let mut source = match builtin(name) {
        Some(_) if !beside.is_file() => Source::open(name)?,
        _ if beside.is_file() => Source::open(&beside.to_string_lossy())?,
        _ => Source::open(name)?,
    };
    if let Some(data) = &overrides.data {
        source.use_data(data)?;
    }
    for text in &file.set {
        source.set(text)?;
    }
    Ok(source)
}

/// All settings, with the defaults.
fn resolved(source: &Source) -> Result<Table, AblateError> {
    let pipeline = source.pipeline()?;
    let invalid = |error: toml::ser::Error| RuntimeError::Request(format!("`{}`: {error}", source.place));
    Ok(Table::try_from(&pipeline).map_err(invalid)?)
}

/// Letters and digits in lower case, one `-` for what lies between.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase().trim_matches('.').to_owned()
}

fn find<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let value = table.get(first)?;
    rest.map_or(Some(value), |rest| find(value.as_table()?, rest))
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|value| value as f64))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Writes the settings of a run as a pipeline file.
pub(super) fn write_pipeline(path: &Path, pipeline: &Pipeline) -> Result<String, AblateError> {
    let text = toml::to_string(pipeline).map_err(|error| RuntimeError::content(path, error))?;
    crate::media::write_atomically(path, |path| std::fs::write(path, &text).map_err(FileError::at("write", path)))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_safe_in_paths() {
        assert_eq!(["No prior", "alpha 0.03", "../x", "no CFG!"].map(slug), ["no-prior", "alpha-0.03", "x", "no-cfg"]);
    }

    #[test]
    fn dotted_keys_are_found() {
        let table: Table = "a = 1\n[b.c]\nd = 2.5".parse().unwrap();
        assert_eq!(find(&table, "b.c.d").and_then(number), Some(2.5));
        assert_eq!((find(&table, "a").and_then(number), find(&table, "b.x")), (Some(1.0), None));
    }
}
