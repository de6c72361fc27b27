//! The table: what each variant came to over its seeds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::difference::Difference;
use super::error::AblateError;
use super::folder::{AblationFolder, RunState, run_path};
use super::plan::{Plan, SubRun};
use super::statistics::{Estimate, estimate, paired_difference};
use crate::report::{Unit, metric_info};

/// Everything that the table and the page show, `results.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Name of the ablation.
    pub name: String,
    /// What it asks.
    pub about: String,
    /// The pipeline that the variants change.
    pub base: String,
    /// The variant that is the base itself; the others are compared with it.
    pub reference: Option<String>,
    /// Whether every run is finished.
    pub complete: bool,
    /// The columns.
    pub metrics: Vec<MetricColumn>,
    /// The rows.
    pub variants: Vec<VariantResult>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricColumn {
    /// The name of the metric.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// What its values count in; a share is from 0 to 1.
    pub unit: String,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantResult {
    /// Its name.
    pub name: String,
    /// Why it is there.
    pub about: String,
    /// How it differs from the base.
    pub differences: Vec<Difference>,
    /// The variant whose weights it uses, if not its own.
    pub reuses: Option<String>,
    /// Its place on the horizontal axis of the plots.
    pub x: Option<f64>,
    /// Its curve in the plots.
    pub series: Option<String>,
    /// One a seed.
    pub runs: Vec<RunResult>,
    /// Over the finished seeds, by metric.
    pub estimates: BTreeMap<String, Estimate>,
    /// Minus the reference's values of the same seeds, by metric.
    pub against_reference: BTreeMap<String, Estimate>,
}

/// A run of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The seed.
    pub seed: u64,
    /// The run folder, relative to that of the ablation.
    pub folder: PathBuf,
    /// How far it came.
    #[serde(flatten)]
    pub state: RunState,
    /// Its values, by metric.
    #[serde(with = "crate::report::values")]
    pub values: BTreeMap<String, f64>,
}

impl MetricColumn {
    fn new(name: &str) -> Self {
        let seconds = if name.ends_with("_seconds") { "s" } else { "" };
        let info = metric_info(name);
        Self {
            name: name.into(),
            title: info.map_or_else(|| name.replace('_', " "), |info| info.title.into()),
            unit: info.map_or(seconds, |info| info.unit.symbol()).into(),
        }
    }

    /// What its values are multiplied by to be in the unit.
    pub fn factor(&self) -> f64 {
        if self.unit == Unit::Share.symbol() { 100.0 } else { 1.0 }
    }

    /// The title with the unit.
    pub fn heading(&self) -> String {
        if self.unit.is_empty() { self.title.clone() } else { format!("{}, {}", self.title, self.unit) }
    }
}

impl Results {
    /// From the files of the folder and what is known of the runs.
    pub(super) fn collect(plan: &Plan, folder: &AblationFolder, states: &[(SubRun, RunState)]) -> Result<Self, AblateError> {
        let mut rows = Vec::new();
        for (index, variant) in plan.variants.iter().enumerate() {
            let mut runs = Vec::new();
            for &seed in &plan.file.seeds {
                let own = SubRun { variant: index, seed };
                let weights = plan.weights_of(own);
                let state = states.iter().find(|(run, _)| *run == weights).map_or(RunState::Missing, |(_, state)| state.clone());
                let values = if state == RunState::Finished { folder.measured(plan, own)?.values } else { BTreeMap::new() };
                runs.push(RunResult { seed, folder: run_path(plan, weights), state, values });
            }
            let plot_value = plan.file.plot.as_ref().filter(|_| variant.x.is_none()).map(|plot| plot.x.as_str());
            let mut row = VariantResult {
                name: variant.settings.name.clone(),
                about: variant.settings.about.clone(),
                differences: variant.differences.clone(),
                reuses: variant.settings.reuse.clone(),
                x: variant.x,
                series: variant.series.clone(),
                runs,
                estimates: BTreeMap::new(),
                against_reference: BTreeMap::new(),
            };
            for name in &plan.metrics {
                let values: Vec<f64> = row.values(name).into_iter().map(|(_, value)| value).collect();
                row.estimates.extend(estimate(&values).map(|found| (name.clone(), found)));
            }
            if let Some(name) = plot_value {
                let values: Vec<f64> = row.values(name).into_iter().map(|(_, value)| value).collect();
                row.x = estimate(&values).map(|found| found.mean);
            }
            rows.push(row);
        }
        let reference = plan.reference();
        if let Some(base) = reference {
            let base = rows[base].clone();
            for row in rows.iter_mut().filter(|row| row.name != base.name) {
                let compared = plan
                    .metrics
                    .iter()
                    .filter_map(|name| Some((name.clone(), paired_difference(&row.values(name), &base.values(name))?)));
                row.against_reference = compared.collect();
            }
        }
        Ok(Self {
            name: plan.file.name.clone(),
            about: plan.file.about.clone(),
            base: plan.file.base.clone(),
            reference: reference.map(|index| plan.variants[index].settings.name.clone()),
            complete: states.iter().all(|(_, state)| *state == RunState::Finished),
            metrics: plan.metrics.iter().map(|name| MetricColumn::new(name)).collect(),
            variants: rows,
        })
    }

    /// The runs that failed, with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&VariantResult, &RunResult, &str)> {
        self.variants.iter().filter(|row| row.reuses.is_none()).flat_map(|row| {
            row.runs.iter().filter_map(move |run| match &run.state {
                RunState::Failed(error) => Some((row, run, error.as_str())),
                _ => None,
            })
        })
    }
}

impl VariantResult {
    /// The values of a metric with their seeds.
    pub fn values(&self, metric: &str) -> Vec<(u64, f64)> {
        self.runs.iter().filter_map(|run| Some((run.seed, *run.values.get(metric)?))).collect()
    }

    /// How many of its seeds are finished.
    pub fn finished(&self) -> usize {
        self.runs.iter().filter(|run| run.state == RunState::Finished).count()
    }

    /// How it differs from the base, in words.
    pub fn changes(&self) -> String {
        let changes: Vec<String> = self.differences.iter().map(ToString::to_string).collect();
        let changes = if changes.is_empty() { "the base".to_owned() } else { changes.join("; ") };
        match &self.reuses {
            Some(name) => format!("{changes} (weights of `{name}`)"),
            None => changes,
        }
    }
}
