//! Everything that the page shows, read from the run folder.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::analyses::{AnalysisSection, analyses};
use super::cards::{Card, cards};
use super::charts::{Chart, charts};
use super::environment::Environment;
use super::error::ReportError;
use super::files;
use super::format;
use super::json::read_json;
use super::metrics;
use super::pictures::{Pictures, pictures};
use super::problems::read_problems;
use super::record::{MetricRecord, Stage};
use super::summary::Summary;
use crate::data::Problem;

/// The data of the template.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    title: String,
    status: Status,
    stages: Vec<StageSection>,
    pictures: Pictures,
    analyses: Vec<AnalysisSection>,
    environment: Vec<Fact>,
    settings: Option<String>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// Files of the run that are there and could not be read.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Status {
    complete: bool,
    text: String,
}

#[derive(Debug, Serialize)]
struct StageSection {
    id: &'static str,
    title: &'static str,
    facts: Vec<Fact>,
    cards: Vec<Card>,
    charts: Vec<Chart>,
}

/// A line of a list of names and values.
#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    pub name: &'static str,
    pub value: String,
}

impl Page {
    /// Reads what there is; files that are missing or broken never stop the page.
    pub(super) fn of(run: &Path) -> Self {
        let mut notes = Vec::new();
        let records = optional(&run.join(files::METRICS), &mut notes, metrics::read).unwrap_or_default();
        let summary: Option<Summary> = optional(&run.join(files::SUMMARY), &mut notes, read_json);
        let environment: Option<Environment> = optional(&run.join(files::ENVIRONMENT), &mut notes, read_json);
        let settings = fs::read(run.join(files::PIPELINE)).ok();
        let settings = settings.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let title = summary.as_ref().map(|summary| summary.pipeline.clone());
        Self {
            title: title.or_else(|| settings.as_deref().and_then(name_in_settings)).unwrap_or_else(|| folder_name(run)),
            status: status(&records, summary.as_ref()),
            warnings: summary.iter().flat_map(|summary| &summary.warnings).map(ToString::to_string).collect(),
            stages: Stage::ALL.iter().filter_map(|stage| section(&records, summary.as_ref(), *stage)).collect(),
            pictures: pictures(run),
            analyses: analyses(run, &mut notes),
            environment: environment.as_ref().map(environment_facts).unwrap_or_default(),
            settings,
            problems: optional(&run.join(files::PROBLEMS), &mut notes, read_problems).unwrap_or_default(),
            notes,
        }
    }
}

/// Reads a file that may be missing; a broken one leaves a note.
fn optional<T>(path: &Path, notes: &mut Vec<String>, read: impl FnOnce(&Path) -> Result<T, ReportError>) -> Option<T> {
    if !path.exists() {
        return None;
    }
    let note = |error: ReportError| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        notes.push(format!("`{name}` could not be read: {cause}"));
    };
    read(path).map_err(note).ok()
}

fn status(records: &[MetricRecord], summary: Option<&Summary>) -> Status {
    let steps = |step: u64| format::count(i64::try_from(step).unwrap_or(i64::MAX));
    let text = match (summary, records.last()) {
        (Some(summary), _) if summary.complete => format!("Complete after {}", format::duration(summary.seconds)),
        (Some(summary), _) => format!("Stopped after {}", format::duration(summary.seconds)),
        (None, Some(record)) => format!("In progress: {} at step {}", record.stage, steps(record.step)),
        (None, None) => "Not started".to_owned(),
    };
    Status { complete: summary.is_some_and(|summary| summary.complete), text }
}

fn section(records: &[MetricRecord], summary: Option<&Summary>, stage: Stage) -> Option<StageSection> {
    let (id, title) = match stage {
        Stage::Tokenizer => ("tokenizer", "Tokenizer"),
        Stage::Generator => ("generator", "Generator"),
    };
    let cards = cards(records, summary, stage);
    let charts = charts(records, stage);
    let facts = stage_facts(records, summary, stage);
    (!facts.is_empty()).then_some(StageSection { id, title, facts, cards, charts })
}

fn stage_facts(records: &[MetricRecord], summary: Option<&Summary>, stage: Stage) -> Vec<Fact> {
    let count = |value: u64| format::count(i64::try_from(value).unwrap_or(i64::MAX));
    if let Some(stage) = summary.and_then(|summary| summary.stages.iter().find(|part| part.stage == stage)) {
        return vec![
            Fact { name: "Steps", value: count(stage.steps) },
            Fact { name: "Time", value: format::duration(stage.seconds) },
            Fact { name: "Parameters", value: count(stage.parameters) },
        ];
    }
    let last = records.iter().filter(|record| record.stage == stage).max_by_key(|record| record.step);
    last.map(|record| {
        vec![
            Fact { name: "Steps so far", value: count(record.step) },
            Fact { name: "Time so far", value: format::duration(record.elapsed_seconds) },
        ]
    })
    .unwrap_or_default()
}

/// An environment for people.
pub(crate) fn environment_facts(environment: &Environment) -> Vec<Fact> {
    let started = environment.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let mut facts = vec![
        Fact { name: "Started", value: started },
        Fact { name: "Seed", value: environment.seed.to_string() },
        Fact { name: "Device", value: environment.device.clone() },
        Fact { name: "Processor", value: format!("{}, {} cores", environment.cpu, environment.cores) },
        Fact { name: "Memory", value: format::memory(environment.memory_bytes) },
        Fact { name: "System", value: format!("{}, {}", environment.os, environment.arch) },
        Fact { name: "larp-rs", value: environment.larp_version.clone() },
        Fact { name: "Burn", value: environment.burn_version.clone() },
    ];
    let known = |name, value: &Option<String>| value.clone().map(|value| Fact { name, value });
    facts.extend(known("Rust", &environment.rust_version));
    facts.extend(known("Git commit", &environment.git_commit));
    facts.push(Fact { name: "Command", value: environment.command.join(" ") });
    facts
}

fn name_in_settings(settings: &str) -> Option<String> {
    let settings: toml::Table = settings.parse().ok()?;
    let nested = |key: &str| settings.get(key).and_then(|table| table.get("name"));
    let name = settings.get("name").or_else(|| nested("pipeline"))?;
    name.as_str().map(str::to_owned)
}

fn folder_name(run: &Path) -> String {
    // `.` and the like have no name before they are resolved
    let resolved = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    resolved.file_name().map_or_else(|| "Run".to_owned(), |name| name.to_string_lossy().into_owned())
}
