//! `data check`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use larp_runtime::data::{CheckReport, check as look};

use crate::args::DataCommand;
use crate::output::{Side, print, print_json, table, thousands};

/// Looks at data.
pub fn data(command: &DataCommand) -> Result<ExitCode> {
    match command {
        DataCommand::Check { path, json } => check(path, *json),
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
