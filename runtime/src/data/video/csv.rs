//! A CSV of `path[,label[,split]]`.

use std::path::Path;

use super::item::Named;
use crate::data::{DataError, Split};

/// Names that make a first line a header.
const PATH_NAMES: [&str; 5] = ["path", "file", "filename", "video", "clip"];

/// Lists a CSV. A header may put the columns `path`, `label` (or `class`) and `split` in any order; empty labels are no label.
pub(super) fn list(path: &Path) -> Result<Vec<Named>, DataError> {
    let file = std::fs::File::open(path).map_err(|source| DataError::io(path, source))?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).comment(Some(b'#')).from_reader(file);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut columns = (0, Some(1), Some(2));
    let mut items = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            DataError::Csv { path: path.to_owned(), line, reason: error.to_string() }
        })?;
        let wrong = |reason: String| {
            let line = record.position().map_or(0, csv::Position::line);
            DataError::Csv { path: path.to_owned(), line, reason }
        };
        // a spreadsheet may begin the file with a byte order mark
        let heads: Vec<String> = record.iter().map(|c| c.trim_start_matches('\u{feff}').to_lowercase()).collect();
        let at = |names: &[&str]| heads.iter().position(|head| names.contains(&head.as_str()));
        if index == 0
            && let Some(column) = at(&PATH_NAMES)
        {
            columns = (column, at(&["label", "class"]), at(&["split"]));
            continue;
        }
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).filter(|cell| !cell.is_empty());
        let Some(relative) = cell(Some(columns.0)) else {
            return Err(wrong("the path is empty; write `path,label`".into()));
        };
        let relative = relative.trim_start_matches('\u{feff}');
        let split = match cell(columns.2) {
            None => None,
            Some(name) => Some(
                Split::from_name(name)
                    .ok_or_else(|| wrong(format!("`{name}` is not a split; use `train`, `validation` or `test`")))?,
            ),
        };
        let class = cell(columns.1).map(str::to_owned);
        items.push(Named { path: folder.join(relative), relative: relative.to_owned(), class, split });
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Named>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        list(&path)
    }

    fn cells(text: &str) -> Vec<(String, Option<String>, Option<Split>)> {
        parse(text).unwrap().into_iter().map(|item| (item.relative, item.class, item.split)).collect()
    }

    #[test]
    fn a_header_is_optional() {
        let expected = vec![
            ("a b.mp4".to_owned(), Some("run".to_owned()), None),
            ("-c.avi".to_owned(), Some("jump, high".to_owned()), None),
        ];
        assert_eq!(cells("a b.mp4,run\n-c.avi, \"jump, high\"\n".replace(", \"", ",\"").as_str()), expected);
        assert_eq!(cells("path,label\na b.mp4,run\n-c.avi,\"jump, high\"\n"), expected);
        assert_eq!(cells("label,path\nrun,a b.mp4\n\"jump, high\",-c.avi\n"), expected);
    }

    #[test]
    fn a_third_column_is_the_split() {
        assert_eq!(
            cells("a.mp4,,val\nb.mp4"),
            [("a.mp4".to_owned(), None, Some(Split::Validation)), ("b.mp4".to_owned(), None, None)]
        );
    }

    #[test]
    fn relative_paths_count_from_the_csv() {
        let items = parse("x/a.mp4\n/abs/b.mp4\n").unwrap();
        assert!(items[0].path.ends_with("x/a.mp4") && items[0].path.is_absolute());
        assert_eq!(items[1].path, Path::new("/abs/b.mp4"));
    }

    #[test]
    fn a_wrong_split_names_its_line() {
        let error = parse("a.mp4,x,train\nb.mp4,x,dev\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("`dev`"), "{error}");
    }
}
