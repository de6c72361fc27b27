//! The append-only log `metrics.jsonl`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::ReportError;
use super::json;
use super::record::{MetricRecord, Stage};
use crate::media::{FileError, write_atomically};

/// Reads all records; a last line cut off by a kill is left out.
///
/// # Errors
/// When the file cannot be read or a line is no record.
pub fn read(path: &Path) -> Result<Vec<MetricRecord>, ReportError> {
    json::read_lines(path)
}

/// Appends records to `metrics.jsonl`; every record is on disk when [`write`](Self::write) returns.
#[derive(Debug)]
pub struct MetricsWriter {
    path: PathBuf,
    file: File,
}

impl MetricsWriter {
    /// Opens or makes the log and removes a last line cut off by a kill.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ReportError> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            outcome => outcome.map_err(FileError::at("read", path))?,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))?;
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(FileError::at("open", path))?;
        let whole = json::whole_lines(&bytes);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(FileError::at("truncate", path))?;
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Opens the log to go on with `stage` after `last_step`, dropping its later records, so that no step is doubled.
    ///
    /// `None` means that the stage starts from scratch: all its records are dropped. Other stages keep theirs.
    ///
    /// # Errors
    /// When the file cannot be read or rewritten.
    pub fn resume(path: &Path, stage: Stage, last_step: Option<u64>) -> Result<Self, ReportError> {
        if path.exists() {
            let records = read(path)?;
            let stays =
                |record: &&MetricRecord| record.stage != stage || last_step.is_some_and(|last_step| record.step <= last_step);
            let kept: Vec<&MetricRecord> = records.iter().filter(stays).collect();
            if kept.len() < records.len() {
                rewrite(path, &kept)?;
            }
        }
        Self::open(path)
    }

    /// Appends one record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, record: &MetricRecord) -> Result<(), ReportError> {
        // one call with the whole line: readers meanwhile see a line or no line
        let line = json::line(&self.path, record)?;
        let written = self.file.write_all(&line).and_then(|()| self.file.flush());
        Ok(written.map_err(FileError::at("append to", &self.path))?)
    }
}

fn rewrite(path: &Path, records: &[&MetricRecord]) -> Result<(), ReportError> {
    let lines: Vec<Vec<u8>> = records.iter().map(|record| json::line(path, record)).collect::<Result<_, _>>()?;
    write_atomically(path, |tmp| Ok(fs::write(tmp, lines.concat()).map_err(FileError::at("write", tmp))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::MetricSplit;

    fn record(stage: Stage, step: u64) -> MetricRecord {
        let values = [("loss".to_owned(), 1.0 / step as f64)].into();
        MetricRecord { stage, split: MetricSplit::Train, step, elapsed_seconds: step as f64, values }
    }

    fn steps(path: &Path) -> Vec<(Stage, u64)> {
        read(path).unwrap().iter().map(|record| (record.stage, record.step)).collect()
    }

    #[test]
    fn records_read_back_and_append_across_openings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/metrics.jsonl");
        let (first, second) = (record(Stage::Tokenizer, 1), record(Stage::Tokenizer, 2));
        MetricsWriter::open(&path).unwrap().write(&first).unwrap();
        MetricsWriter::open(&path).unwrap().write(&second).unwrap();
        assert_eq!(read(&path).unwrap(), [first, second]);
    }

    #[test]
    fn resuming_drops_later_records_of_that_stage_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut writer = MetricsWriter::open(&path).unwrap();
        (1..=4).for_each(|step| writer.write(&record(Stage::Tokenizer, step)).unwrap());
        (1..=4).for_each(|step| writer.write(&record(Stage::Generator, step)).unwrap());
        let mut resumed = MetricsWriter::resume(&path, Stage::Generator, Some(2)).unwrap();
        resumed.write(&record(Stage::Generator, 3)).unwrap();
        let tokenizer = (1..=4).map(|step| (Stage::Tokenizer, step));
        let generator = (1..=3).map(|step| (Stage::Generator, step));
        assert_eq!(steps(&path), tokenizer.chain(generator).collect::<Vec<_>>());
    }

    #[test]
    fn a_fresh_start_drops_all_records_of_the_stage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        MetricsWriter::open(&path).unwrap().write(&record(Stage::Tokenizer, 0)).unwrap();
        MetricsWriter::resume(&path, Stage::Tokenizer, None).unwrap();
        assert_eq!(steps(&path), []);
    }

    #[test]
    fn a_half_written_last_line_is_removed_on_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        MetricsWriter::open(&path).unwrap().write(&record(Stage::Tokenizer, 1)).unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"stage\":\"tok");
        fs::write(&path, text).unwrap();
        assert_eq!(steps(&path), [(Stage::Tokenizer, 1)]);
        let mut writer = MetricsWriter::resume(&path, Stage::Tokenizer, Some(1)).unwrap();
        writer.write(&record(Stage::Tokenizer, 2)).unwrap();
        assert_eq!(steps(&path), [(Stage::Tokenizer, 1), (Stage::Tokenizer, 2)]);
    }
}
