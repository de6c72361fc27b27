//! The page `report.html` of an ablation.

use std::path::{Path, PathBuf};

use minijinja::Value;
use serde::Serialize;

use super::chart;
use super::error::AblateError;
use super::export::{cell, interval, signed};
use super::folder::RunState;
use super::plan::Plan;
use super::results::{MetricColumn, Results, VariantResult};
use crate::report::files::REPORT;
use crate::report::{Environment, EnvironmentInput, Fact, environment_facts, metric_info, write_page as write_html};

const TEMPLATE: &str = include_str!("ablation.html.j2");

#[derive(Debug, Serialize)]
struct Page<'a> {
    title: &'a str,
    about: &'a str,
    base: &'a str,
    reference: Option<&'a str>,
    complete: bool,
    status: String,
    columns: Vec<Column<'a>>,
    rows: Vec<Row<'a>>,
    charts: Vec<Chart>,
    axis: Option<&'a str>,
    failures: Vec<Failure<'a>>,
    environment: Vec<Fact>,
    settings: String,
}

#[derive(Debug, Serialize)]
struct Column<'a> {
    title: &'a str,
    unit: &'a str,
    explanation: &'static str,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    about: &'a str,
    changes: Vec<String>,
    reuses: Option<&'a str>,
    seeds: String,
    cells: Vec<Cell>,
    runs: Vec<Run>,
}

#[derive(Debug, Serialize)]
struct Cell {
    text: String,
    interval: Option<String>,
    against: Option<String>,
}

#[derive(Debug, Serialize)]
struct Run {
    seed: u64,
    state: &'static str,
    /// Relative to the page, where the run has a page of its own.
    link: Option<String>,
}

#[derive(Debug, Serialize)]
struct Chart {
    title: String,
    unit: String,
    explanation: &'static str,
    /// The means in words, for those who do not see them.
    description: String,
    svg: Value,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    variant: &'a str,
    seed: u64,
    error: &'a str,
}

/// Writes the page into the ablation's folder.
pub(super) fn write_page(folder: &Path, plan: &Plan, results: &Results, device: &str) -> Result<PathBuf, AblateError> {
    let runs: Vec<_> = results.variants.iter().filter(|row| row.reuses.is_none()).flat_map(|row| &row.runs).collect();
    let finished = runs.iter().filter(|run| run.state == RunState::Finished).count();
    let seed = plan.file.seeds.first().copied().unwrap_or_default();
    let environment = Environment::capture(EnvironmentInput { device: device.into(), seed, git_commit: None });
    let mut environment = environment_facts(&environment);
    // each run has a seed of its own
    environment.retain(|fact| fact.name != "Seed");
    let page = Page {
        title: &results.name,
        about: &results.about,
        base: &results.base,
        reference: results.reference.as_deref(),
        complete: results.complete,
        status: format!("{finished} of {} runs finished", runs.len()),
        columns: results.metrics.iter().map(column).collect(),
        rows: results.variants.iter().map(|row| table_row(folder, results, row)).collect(),
        charts: results.metrics.iter().filter_map(|column| draw(results, column)).collect(),
        axis: plan.file.plot.as_ref().map(|plot| plot.x.as_str()),
        failures: results.failures().map(|(row, run, error)| Failure { variant: &row.name, seed: run.seed, error }).collect(),
        environment,
        settings: toml::to_string_pretty(&plan.file).unwrap_or_default(),
    };
    let path = folder.join(REPORT);
    write_html(&path, TEMPLATE, &page)?;
    Ok(path)
}

fn column(column: &MetricColumn) -> Column<'_> {
    let explanation = metric_info(&column.name).map_or("", |info| info.explanation);
    Column { title: &column.title, unit: &column.unit, explanation }
}

fn table_row<'a>(folder: &Path, results: &'a Results, row: &'a VariantResult) -> Row<'a> {
    let cells = results.metrics.iter().map(|column| {
        let against = row.against_reference.get(&column.name);
        Cell {
            text: cell(column, row),
            interval: row.estimates.get(&column.name).and_then(|estimate| interval(column, estimate)),
            against: against.map(|estimate| match interval(column, estimate) {
                Some(interval) => format!("{}\n{interval}", signed(column, estimate)),
                None => signed(column, estimate),
            }),
        }
    });
    let runs = row.runs.iter().map(|run| {
        let page = run.folder.join(REPORT);
        Run {
            seed: run.seed,
            state: match run.state {
                RunState::Missing => "not begun",
                RunState::Unfinished => "unfinished",
                RunState::Finished => "finished",
                RunState::Failed(_) => "failed",
            },
            link: folder.join(&page).is_file().then(|| page.to_string_lossy().replace('\\', "/")),
        }
    });
    Row {
        name: &row.name,
        about: &row.about,
        changes: row.differences.iter().map(ToString::to_string).collect(),
        reuses: row.reuses.as_deref(),
        seeds: format!("{}/{}", row.finished(), row.runs.len()),
        cells: cells.collect(),
        runs: runs.collect(),
    }
}

fn draw(results: &Results, column: &MetricColumn) -> Option<Chart> {
    let svg = chart::draw(results, column)?;
    let ends = results.variants.iter().map(|row| format!("{} {}", row.name, cell(column, row)));
    Some(Chart {
        title: column.title.clone(),
        unit: column.unit.clone(),
        explanation: metric_info(&column.name).map_or("", |info| info.explanation),
        description: ends.collect::<Vec<_>>().join(", "),
        svg: Value::from_safe_string(svg),
    })
}
