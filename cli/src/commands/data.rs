//! `data check` and `data manifest`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use larp_runtime::data::{CheckReport, Manifest, check as look, manifest, manifest_csv};
use larp_runtime::media::{FileError, write_atomically};

use crate::args::DataCommand;
use crate::output::{Side, print, print_json, table, thousands};

/// Looks at data.
pub fn data(command: &DataCommand) -> Result<ExitCode> {
    match command {
        DataCommand::Check { path, json } => check(path, *json),
        DataCommand::Manifest { path, output, json } => list(path, output.as_deref(), *json),
    }
}

/// Prints what is known of every file; fails when not one of them can be used.
fn check(path: &Path, json: bool) -> Result<ExitCode> {
    let report = look(path, std::thread::available_parallelism().map_or(1, usize::from))?;
    if json {
        print_json(&report)?;
    } else {
        print(&text(&report))?;
    }
    let usable = report.problems() < report.files.len();
    Ok(if usable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the hashes of every file; fails when two splits share a clip.
fn list(path: &Path, output: Option<&Path>, json: bool) -> Result<ExitCode> {
    let manifest = manifest(path, std::thread::available_parallelism().map_or(1, usize::from))?;
    if let Some(file) = output {
        let text = manifest_csv(&manifest);
        write_atomically(file, |path| std::fs::write(path, &text).map_err(FileError::at("write", path)))?;
    }
    if json {
        print_json(&manifest)?;
    } else {
        print(&manifest_text(&manifest))?;
    }
    Ok(if manifest.shared.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn manifest_text(manifest: &Manifest) -> String {
    let mut rows = vec![["sha256", "frames", "splits", "file"].map(str::to_owned).to_vec()];
    for file in &manifest.files {
        let splits: Vec<String> = file.splits.iter().map(ToString::to_string).collect();
        let frames = file.problem.as_ref().map_or_else(|| thousands(file.frames), |_| "damaged".into());
        rows.push(vec![file.sha256.chars().take(12).collect(), frames, splits.join("+"), file.path.clone()]);
    }
    let mut text = table(&[Side::Left, Side::Right, Side::Left, Side::Left], &rows);
    let groups = [("twice in a split", &manifest.duplicates), ("in several splits", &manifest.shared)];
    for (what, groups) in groups {
        for group in groups {
            text += &format!("\n{what}, by content: {}", group.join(", "));
        }
    }
    format!("{text}\n{} files, list {}\n", thousands(manifest.files.len()), manifest.sha256)
}

fn text(report: &CheckReport) -> String {
    let labelled = !report.classes.is_empty();
    let row = |cells: [String; 7]| {
        let [file, class, rest @ ..] = cells;
        let class = labelled.then_some(class);
        [file].into_iter().chain(class).chain(rest).collect::<Vec<_>>()
    };
    let mut rows = vec![row(["file", "class", "frames", "size", "fps", "codec", "problem"].map(str::to_owned))];
    for file in &report.files {
        let size = if file.width == 0 { String::new() } else { format!("{}x{}", file.width, file.height) };
        let fps = file.fps.map(|fps| format!("{fps:.2}").trim_end_matches('0').trim_end_matches('.').to_owned());
        let class = file.class.clone().unwrap_or_default();
        let (fps, problem) = (fps.unwrap_or_default(), file.problem.clone().unwrap_or_default());
        let problem = problem.lines().next().unwrap_or_default().to_owned();
        rows.push(row([file.path.clone(), class, thousands(file.frames), size, fps, file.codec.clone(), problem]));
    }
    let sides = [Side::Left, Side::Left, Side::Right, Side::Right, Side::Right, Side::Left, Side::Left];
    let sides: Vec<Side> = sides.into_iter().enumerate().filter(|(index, _)| labelled || *index != 1).map(|(_, s)| s).collect();
    let count = |count: usize, one: &str, many: &str| format!("{} {}", thousands(count), if count == 1 { one } else { many });
    let files = count(report.files.len(), "file", "files");
    let problems = count(report.problems(), "problem", "problems");
    let classes = if labelled { format!("{}, ", count(report.classes.len(), "class", "classes")) } else { String::new() };
    format!("{}\n{files}, {classes}{problems}\n", table(&sides, &rows))
}
