//! One chart for each metric of a stage.

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Serialize;

use super::curves::{Curve, CurveRole, Scale, draw_curves};
use super::format;
use super::metric_names::{METRICS, Unit, metric_info};
use super::record::{MetricRecord, MetricSplit, Stage};

/// A chart on the page.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    title: String,
    unit: &'static str,
    explanation: &'static str,
    /// The curves in words, for those who do not see them.
    description: String,
    svg: Value,
    /// Values that could not be drawn.
    non_finite: usize,
}

/// Charts of all metrics of a stage: known ones in the order of the table, then unknown ones by name.
pub(super) fn charts(records: &[MetricRecord], stage: Stage) -> Vec<Chart> {
    let records: Vec<&MetricRecord> = records.iter().filter(|record| record.stage == stage).collect();
    let present: BTreeSet<&str> = records.iter().flat_map(|record| record.values.keys()).map(String::as_str).collect();
    let is_shown_elsewhere = |name: &str| METRICS.iter().any(|info| info.baseline == Some(name) && present.contains(info.name));
    let known = METRICS.iter().map(|info| info.name).filter(|name| present.contains(name));
    let unknown = present.iter().copied().filter(|name| metric_info(name).is_none());
    let all_went_well = |name: &str| {
        name == "skipped_steps" && records.iter().all(|record| record.values.get(name).is_none_or(|&count| count == 0.0))
    };
    known
        .chain(unknown)
        .filter(|name| !is_shown_elsewhere(name) && !all_went_well(name))
        .filter_map(|name| chart(&records, name))
        .collect()
}

fn chart(records: &[&MetricRecord], name: &str) -> Option<Chart> {
    let info = metric_info(name);
    let unit = info.map_or(Unit::Plain, |info| info.unit);
    let mut curves = vec![
        Curve { role: CurveRole::Train, points: points(records, MetricSplit::Train, name, unit) },
        Curve { role: CurveRole::Validation, points: points(records, MetricSplit::Validation, name, unit) },
    ];
    if let Some(baseline) = info.and_then(|info| info.baseline) {
        let points = points(records, MetricSplit::Validation, baseline, unit);
        curves.push(Curve { role: CurveRole::Baseline, points });
    }
    let svg = draw_curves(&curves, info.map_or(Scale::Linear, |info| info.scale)).unwrap_or_default();
    let last = |curve: &Curve| {
        let (step, value) = curve.points.last()?;
        Some(format!("{} {} at step {step}", curve.role.label(), format::number(*value)))
    };
    let ends: Vec<String> = curves.iter().filter_map(last).collect();
    let all = curves.iter().flat_map(|curve| &curve.points);
    Some(Chart {
        title: info.map_or_else(|| name.to_owned(), |info| info.title.to_owned()),
        unit: unit.symbol(),
        explanation: info.map_or("", |info| info.explanation),
        description: ends.join(", "),
        svg: Value::from_safe_string(svg),
        non_finite: all.filter(|(_, value)| !value.is_finite()).count(),
    })
}

fn points(records: &[&MetricRecord], split: MetricSplit, name: &str, unit: Unit) -> Vec<(u64, f64)> {
    let factor = if unit == Unit::Share { 100.0 } else { 1.0 };
    let of_split = records.iter().filter(|record| record.split == split);
    let mut points: Vec<(u64, f64)> =
        of_split.filter_map(|record| Some((record.step, record.values.get(name)? * factor))).collect();
    points.sort_by_key(|(step, _)| *step);
    points
}
