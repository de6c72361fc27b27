//! The analyses that lie in a run folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::embed::{Embedder, Picture};
use super::json::read_json;
use crate::analyze::{FOLDER, RECORD, Record, Table};

/// Bytes of pictures of all analyses.
const BUDGET: usize = 12 << 20;
/// Rows of a table on the page; the files have them all.
const ROWS: usize = 24;

/// An analysis on the page.
#[derive(Debug, Serialize)]
pub(super) struct AnalysisSection {
    id: String,
    title: String,
    notes: Vec<String>,
    table: Table,
    more_rows: usize,
    figures: Vec<Figure>,
    /// Tables and other files, below the run folder.
    files: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Figure {
    picture: Picture,
    caption: String,
    /// Drawn, rather than made of pixels.
    plot: bool,
}

/// What lies in the folder, by name; a broken record leaves a note.
pub(super) fn analyses(run: &Path, notes: &mut Vec<String>) -> Vec<AnalysisSection> {
    let entries = fs::read_dir(run.join(FOLDER)).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.join(RECORD).is_file()).collect();
    folders.sort();
    let mut embedder = Embedder::new(BUDGET);
    let mut sections = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read_json::<Record>(&folder.join(RECORD)) {
            Ok(record) => sections.push(section(&name, &folder, record, &mut embedder)),
            Err(error) => {
                let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                notes.push(format!("`{FOLDER}/{name}/{RECORD}` could not be read: {cause}"));
            }
        }
    }
    sections
}

fn section(name: &str, folder: &Path, record: Record, embedder: &mut Embedder) -> AnalysisSection {
    let Record { title, notes, mut table, pictures, files, .. } = record;
    let figure = |picture: &crate::analyze::PictureRecord| {
        // a record of somewhere else may not lead out of its folder
        let file = Path::new(&picture.file).file_name()?;
        let plot = Path::new(file).extension().is_some_and(|extension| extension == "svg");
        let caption = picture.caption.clone();
        Some(Figure { picture: embedder.embed(&folder.join(file), caption.clone())?, caption, plot })
    };
    let figures = pictures.iter().filter_map(figure).collect();
    let more_rows = table.rows.len().saturating_sub(ROWS);
    table.rows.truncate(ROWS);
    let files = files.iter().map(String::as_str).chain([RECORD]).map(|file| format!("{FOLDER}/{name}/{file}")).collect();
    AnalysisSection { id: format!("analysis-{name}"), title, notes, table, more_rows, figures, files }
}
