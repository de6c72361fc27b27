//! Results side by side, marked where they are not comparable.

use std::path::PathBuf;

use serde::Serialize;

use super::metric::Value;
use super::result::EvalResult;
use super::write::RESULT;
use crate::RuntimeError;
use crate::report::read_json;

/// Results in one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Names of the values.
    pub columns: Vec<String>,
    /// One row a result.
    pub rows: Vec<ComparedResult>,
    /// What each mark stands for: how its conditions differ from those of the first result.
    pub marks: Vec<String>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedResult {
    /// Its file.
    pub file: PathBuf,
    /// Its pipeline.
    pub pipeline: String,
    /// Number of the mark, from 1; `None` where it was measured as the first one.
    pub mark: Option<usize>,
    /// A value for each column.
    pub values: Vec<Option<Value>>,
}

/// Compares results, `result.json` or the folder that holds it.
///
/// # Errors
/// When one cannot be read.
pub fn compare(paths: &[PathBuf]) -> Result<Comparison, RuntimeError> {
    let open = |path: &PathBuf| {
        let file = if path.is_dir() { path.join(RESULT) } else { path.clone() };
        Ok((path.clone(), read_json::<EvalResult>(&file)?))
    };
    let results: Vec<(PathBuf, EvalResult)> = paths.iter().map(open).collect::<Result<_, RuntimeError>>()?;
    Ok(compared(&results))
}

fn compared(results: &[(PathBuf, EvalResult)]) -> Comparison {
    // values of different networks have different names, and so columns of their own
    let mut columns: Vec<String> = Vec::new();
    for value in results.iter().flat_map(|(_, result)| result.metrics.values()) {
        if !columns.contains(&value.name) {
            columns.push(value.name.clone());
        }
    }
    let (mut marks, mut rows): (Vec<String>, Vec<ComparedResult>) = (Vec::new(), Vec::new());
    for (file, result) in results {
        let differences = differences(&results[0].1, result);
        let mark = (!differences.is_empty()).then(|| {
            let text = differences.join("; ");
            marks.iter().position(|known| *known == text).unwrap_or_else(|| {
                marks.push(text);
                marks.len() - 1
            }) + 1
        });
        let value = |name: &String| result.metrics.values().find(|value| value.name == *name).cloned();
        let values = columns.iter().map(value).collect();
        rows.push(ComparedResult { file: file.clone(), pipeline: result.card.pipeline.clone(), mark, values });
    }
    Comparison { columns, rows, marks }
}

fn differences(first: &EvalResult, other: &EvalResult) -> Vec<String> {
    let pairs = first.card.conditions().into_iter().zip(other.card.conditions());
    let mut found = Vec::new();
    for ((name, a), (_, b)) in pairs.filter(|((_, a), (_, b))| a != b) {
        match (toml_of(&a), toml_of(&b)) {
            (Some(a), Some(b)) => crate::run::differences(name, &a, &b, &mut found),
            _ => found.push(format!("`{name}`: {} -> {}", shortened(&a), shortened(&b))),
        }
    }
    found
}

fn toml_of(json: &str) -> Option<toml::Value> {
    json.starts_with('{').then(|| serde_json::from_str(json).ok()).flatten()
}

fn shortened(text: &str) -> String {
    if text.len() == 64 { text.chars().take(12).collect() } else { text.to_owned() }
}
