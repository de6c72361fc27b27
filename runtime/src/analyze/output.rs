//! What an analysis leaves in its folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plot::Plot;
use crate::RuntimeError;
use crate::clip::Clip;
use crate::media::{FileError, MediaError, write_atomically, write_clip, write_png};
use crate::report::write_json;

/// Folder of the analyses in a run folder.
pub const FOLDER: &str = "analysis";

/// The file that is written last.
pub const RECORD: &str = "analysis.json";

/// An analysis: its numbers, and what lies beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Name of the analysis.
    pub analysis: String,
    /// Heading.
    pub title: String,
    /// What the numbers and pictures show, in sentences.
    pub notes: Vec<String>,
    /// The numbers that matter most, in words.
    pub table: Table,
    /// Pictures, in reading order.
    pub pictures: Vec<PictureRecord>,
    /// Names of the CSV files, and of others.
    pub files: Vec<String>,
    /// Settings and all numbers.
    pub result: serde_json::Value,
}

/// A table of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
}

/// A picture in the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureRecord {
    /// Name of the file.
    pub file: String,
    /// What it shows.
    pub caption: String,
}

/// A folder that is being filled.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    record: Record,
}

impl Output {
    /// For the results of an analysis; the folder is made with its first file.
    pub fn new(folder: &Path, analysis: &str, title: &str) -> Self {
        let record = Record {
            analysis: analysis.into(),
            title: title.into(),
            notes: Vec::new(),
            table: Table::default(),
            pictures: Vec::new(),
            files: Vec::new(),
            result: serde_json::Value::Null,
        };
        Self { folder: folder.into(), record }
    }

    /// Adds a sentence.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.record.notes.push(text.into());
    }

    /// Sets the columns of the table.
    pub(crate) fn columns<const N: usize>(&mut self, columns: [&str; N]) {
        self.record.table.columns = columns.map(str::to_owned).to_vec();
    }

    /// Adds a row to the table.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.record.table.rows.push(cells.to_vec());
    }

    fn picture(&mut self, file: &str, caption: &str) {
        self.record.pictures.push(PictureRecord { file: file.into(), caption: caption.into() });
    }

    /// Writes a plot as `NAME.svg`; one without a point is left out.
    pub(crate) fn plot(&mut self, name: &str, plot: &Plot, caption: &str) -> Result<(), RuntimeError> {
        let Some(svg) = plot.svg() else { return Ok(()) };
        let file = format!("{name}.svg");
        let path = self.folder.join(&file);
        write_atomically(&path, |temporary| fs::write(temporary, &svg).map_err(FileError::at("write", temporary)))?;
        self.picture(&file, caption);
        Ok(())
    }

    /// Writes the first frame of a clip as `NAME.png`.
    pub(crate) fn still(&mut self, name: &str, clip: &Clip, scale: usize, caption: &str) -> Result<(), RuntimeError> {
        let file = format!("{name}.png");
        write_png(&self.folder.join(&file), clip, scale)?;
        self.picture(&file, caption);
        Ok(())
    }

    /// Writes a clip as `NAME.gif` and, on request, as mp4.
    pub(crate) fn clip(
        &mut self,
        name: &str,
        clip: &Clip,
        scale: usize,
        with_mp4: bool,
        caption: &str,
    ) -> Result<(), RuntimeError> {
        let file = format!("{name}.gif");
        write_clip(&self.folder.join(&file), clip, scale, with_mp4).map_err(|error: MediaError| RuntimeError::from(error))?;
        self.picture(&file, caption);
        if with_mp4 {
            self.record.files.push(format!("{name}.mp4"));
        }
        Ok(())
    }

    /// Writes rows as `NAME.csv`; their fields name the columns.
    pub(crate) fn csv<T: Serialize>(&mut self, name: &str, rows: impl IntoIterator<Item = T>) -> Result<(), RuntimeError> {
        let file = format!("{name}.csv");
        let path = self.folder.join(&file);
        write_atomically(&path, |temporary| {
            let failed = |error: csv::Error| RuntimeError::content(&path, error);
            let mut writer = csv::Writer::from_path(temporary).map_err(failed)?;
            rows.into_iter().try_for_each(|row| writer.serialize(row)).map_err(failed)?;
            writer.flush().map_err(RuntimeError::file("write", &path))
        })?;
        self.record.files.push(file);
        Ok(())
    }

    /// Writes the record.
    pub(crate) fn finish(mut self, result: &impl Serialize) -> Result<Record, RuntimeError> {
        let path = self.folder.join(RECORD);
        self.record.result = serde_json::to_value(result).map_err(|error| RuntimeError::content(&path, error))?;
        write_json(&path, &self.record)?;
        Ok(self.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::read_json;

    #[test]
    fn the_record_names_what_was_written() {
        #[derive(Serialize)]
        struct Row {
            token: usize,
            drop: f64,
        }
        let folder = tempfile::tempdir().unwrap();
        let mut output = Output::new(&folder.path().join("a"), "token-influence", "Influence");
        output.note("One sentence.");
        output.columns(["run"]);
        output.row(["x".into()]);
        output.csv("drops", [Row { token: 1, drop: 0.5 }]).unwrap();
        let written = output.finish(&[1, 2]).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a/drops.csv")).unwrap(), "token,drop\n1,0.5\n");
        assert_eq!(read_json::<Record>(&folder.path().join("a").join(RECORD)).unwrap(), written);
        assert_eq!((written.files, written.result), (vec!["drops.csv".to_owned()], serde_json::json!([1, 2])));
    }
}
