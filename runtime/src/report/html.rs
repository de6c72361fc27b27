//! The page `report.html`.

use std::fs;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;

use super::error::ReportError;
use super::files::REPORT;
use super::page::Page;
use crate::media::{FileError, write_atomically};

/// Its ending makes the template engine escape HTML.
const TEMPLATE_NAME: &str = "report.html";
const TEMPLATE: &str = include_str!("report.html.j2");
const STYLE: &str = include_str!("style.css");

/// Writes `report.html` into a run folder, from what lies there by now, and returns its path.
///
/// The page is one file without external requests. Parts of the run that are missing are left out, so that it can
/// be written half way through.
///
/// # Errors
/// When the folder is missing or the page cannot be written.
pub fn write_report(run: &Path) -> Result<PathBuf, ReportError> {
    if !run.is_dir() {
        return Err(ReportError::NoRun { path: run.to_owned() });
    }
    let path = run.join(REPORT);
    write_page(&path, TEMPLATE, &Page::of(run))?;
    Ok(path)
}

/// Fills a template, which may include `style.css`, and writes the page.
pub(crate) fn write_page(path: &Path, template: &str, page: &impl Serialize) -> Result<(), ReportError> {
    let html = render(template, page).map_err(|source| ReportError::Template { path: path.to_owned(), source })?;
    Ok(write_atomically(path, |tmp| fs::write(tmp, html).map_err(FileError::at("write", tmp)))?)
}

fn render(template: &str, page: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.add_template("style.css", STYLE)?;
    templates.add_template(TEMPLATE_NAME, template)?;
    templates.get_template(TEMPLATE_NAME)?.render(Value::from(Serde(page)))
}

#[cfg(test)]
mod tests;
