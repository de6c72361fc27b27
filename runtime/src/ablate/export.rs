//! The table as Markdown, CSV and JSON.

use std::fs;
use std::path::Path;

use super::error::AblateError;
use super::results::{MetricColumn, Results, VariantResult};
use super::statistics::Estimate;
use crate::RuntimeError;
use crate::media::{FileError, write_atomically};
use crate::report::write_json;

/// Writes `results.json`, `results.csv` and `results.md`.
pub(super) fn write(folder: &Path, results: &Results) -> Result<(), AblateError> {
    write_json(&folder.join("results.json"), results)?;
    let csv = folder.join("results.csv");
    let text = csv_text(results).map_err(|error| RuntimeError::content(&csv, error))?;
    for (path, text) in [(csv, text), (folder.join("results.md"), markdown(results))] {
        write_atomically(&path, |tmp| fs::write(tmp, &text).map_err(FileError::at("write", tmp)))?;
    }
    Ok(())
}

/// `20.07 ± 0.35` in the unit of the column: mean and standard deviation.
pub fn cell(column: &MetricColumn, row: &VariantResult) -> String {
    let Some(found) = row.estimates.get(&column.name) else { return missing(column, row) };
    let factor = column.factor();
    let decimals = decimals(column, found);
    let mean = format!("{:.decimals$}", found.mean * factor);
    found.deviation.map_or(mean.clone(), |deviation| format!("{mean} ± {:.decimals$}", deviation * factor))
}

/// `19.19 .. 20.94`: the confidence interval of the mean.
pub(super) fn interval(column: &MetricColumn, estimate: &Estimate) -> Option<String> {
    let (low, high) = estimate.interval?;
    let (factor, decimals) = (column.factor(), decimals(column, estimate));
    Some(format!("{:.decimals$} .. {:.decimals$}", low * factor, high * factor))
}

/// `+0.35`: the mean difference from the reference.
pub(super) fn signed(column: &MetricColumn, estimate: &Estimate) -> String {
    let decimals = decimals(column, estimate);
    format!("{:+.decimals$}", estimate.mean * column.factor())
}

/// A value that is not finite is shown as such; one that the variant cannot have is a dash.
fn missing(column: &MetricColumn, row: &VariantResult) -> String {
    let values = row.values(&column.name);
    if values.iter().any(|(_, value)| !value.is_finite()) { "not finite".into() } else { "-".into() }
}

/// Enough for the size of the mean and for one digit of the spread.
fn decimals(column: &MetricColumn, estimate: &Estimate) -> usize {
    let mean = estimate.mean.abs() * column.factor();
    let of_mean = match mean {
        _ if mean >= 1000.0 => 0,
        _ if mean >= 1.0 => 2,
        _ if mean >= 0.1 => 3,
        _ => 4,
    };
    let spread = estimate.deviation.unwrap_or_default() * column.factor();
    let of_spread = if spread > 0.0 { (-spread.log10().floor()).clamp(0.0, 6.0) as usize } else { 0 };
    of_mean.max(of_spread)
}

/// The whole as a Markdown document.
pub fn markdown(results: &Results) -> String {
    let mut text = format!("# {}\n\n", results.name);
    if !results.about.is_empty() {
        text += &format!("{}\n\n", results.about);
    }
    text += "Mean ± standard deviation over seeds; below, the 95 % confidence interval of the mean (Student's t).\n\n";
    let headings: Vec<String> = results.metrics.iter().map(MetricColumn::heading).collect();
    text += &line(["variant".into(), "seeds".into()].into_iter().chain(headings).chain([format!("against {}", results.base)]));
    text += &line(
        ["---".into(), "---:".into()].into_iter().chain(results.metrics.iter().map(|_| "---:".into())).chain(["---".into()]),
    );
    for row in &results.variants {
        let seeds = format!("{}/{}", row.finished(), row.runs.len());
        let cells = results.metrics.iter().map(|column| {
            let below = row.estimates.get(&column.name).and_then(|estimate| interval(column, estimate));
            below.map_or_else(|| cell(column, row), |below| format!("{}<br>{below}", cell(column, row)))
        });
        text += &line([row.name.clone(), seeds].into_iter().chain(cells).chain([row.changes()]));
    }
    let failures: Vec<String> = results
        .failures()
        .map(|(row, run, error)| format!("- {}, seed {}: {}\n", row.name, run.seed, error.replace('\n', " ")))
        .collect();
    if !failures.is_empty() {
        text += &format!("\nFailed:\n\n{}", failures.concat());
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// One line a variant and metric.
///
/// # Errors
/// When a line cannot be written.
pub fn csv_text(results: &Results) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "variant",
        "metric",
        "unit",
        "seeds",
        "mean",
        "deviation",
        "low",
        "high",
        "difference",
        "difference_low",
        "difference_high",
        "values",
        "changes",
    ])?;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for row in &results.variants {
        for column in &results.metrics {
            let found = row.estimates.get(&column.name);
            let against = row.against_reference.get(&column.name);
            let ends = |estimate: Option<&Estimate>| estimate.and_then(|estimate| estimate.interval);
            let values = row.values(&column.name);
            let values: Vec<String> = values.iter().map(|(seed, value)| format!("{seed}={value}")).collect();
            // shares stay from 0 to 1 here, as in JSON: no unit then
            let unit = if column.factor() == 1.0 { column.unit.as_str() } else { "" };
            writer.write_record([
                row.name.as_str(),
                &column.name,
                unit,
                &row.values(&column.name).len().to_string(),
                &number(found.map(|found| found.mean)),
                &number(found.and_then(|found| found.deviation)),
                &number(ends(found).map(|(low, _)| low)),
                &number(ends(found).map(|(_, high)| high)),
                &number(against.map(|found| found.mean)),
                &number(ends(against).map(|(low, _)| low)),
                &number(ends(against).map(|(_, high)| high)),
                &values.join(" "),
                &row.changes(),
            ])?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
