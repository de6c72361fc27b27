//! Files of a data set that could not be used.

use std::fs;
use std::path::Path;

use super::error::ReportError;
use super::json;
use crate::data::Problem;
use crate::media::{FileError, write_atomically};

/// Writes `problems.jsonl` anew.
///
/// # Errors
/// When the file cannot be written.
pub fn write_problems(path: &Path, problems: &[Problem]) -> Result<(), ReportError> {
    let lines: Vec<Vec<u8>> = problems.iter().map(|problem| json::line(path, problem)).collect::<Result<_, _>>()?;
    write_atomically(path, |tmp| Ok(fs::write(tmp, lines.concat()).map_err(FileError::at("write", tmp))?))
}

/// Reads `problems.jsonl`.
///
/// # Errors
/// When the file cannot be read or a line is no problem.
pub fn read_problems(path: &Path) -> Result<Vec<Problem>, ReportError> {
    json::read_lines(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_problems_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("problems.jsonl");
        let problem = Problem { path: "a <b>.mp4".into(), reason: "no video stream".to_owned() };
        write_problems(&path, &[problem.clone(), problem.clone()]).unwrap();
        assert_eq!(read_problems(&path).unwrap(), [problem.clone(), problem]);
    }
}
