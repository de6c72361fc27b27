//! The page of a made-up run.

use std::fs;
use std::path::Path;

use super::*;
use crate::clip::{Clip, ClipShape};
use crate::data::Problem;
use crate::media::{Gap, GifOptions, contact_sheet, prediction_sheet, side_by_side, write_gif, write_png};
use crate::report::environment::{Environment, EnvironmentInput};
use crate::report::metrics::MetricsWriter;
use crate::report::problems::write_problems;
use crate::report::record::{MetricRecord, MetricSplit, Stage};
use crate::report::samples::{clip_name, generated_name, prediction_sheet_name, step_folder};
use crate::report::summary::{StageSummary, Summary, Warning};
use crate::report::{files, write_json};

fn clip(seed: usize) -> Clip {
    let shape = ClipShape { frames: 2, height: 8, width: 8 };
    Clip::new(shape, (0..shape.bytes()).map(|index| (index * (seed + 3) % 256) as u8).collect())
}

fn write_metrics(run: &Path) {
    let mut writer = MetricsWriter::open(&run.join(files::METRICS)).unwrap();
    let mut write = |stage, split, step, values: &[(&str, f64)]| {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        writer.write(&MetricRecord { stage, split, step, elapsed_seconds: step as f64, values }).unwrap();
    };
    for step in 1..=20 {
        let loss = if step == 7 { f64::NAN } else { 1.0 / step as f64 };
        let values = [("loss", loss), ("my <odd> metric", 2.0), ("clips_per_second", 31.0)];
        write(Stage::Tokenizer, MetricSplit::Train, step * 10, &values);
    }
    let values = [("psnr", 22.5), ("mean_frame_psnr", 20.25), ("code_usage", 0.75)];
    write(Stage::Tokenizer, MetricSplit::Validation, 200, &values);
    write(Stage::Generator, MetricSplit::Validation, 50, &[("nll", 3.5), ("bits_per_token", 5.05)]);
}

fn write_samples(run: &Path) {
    for step in [100, 200] {
        let folder = step_folder(run, Stage::Tokenizer, step);
        let pair = side_by_side(&[clip(1), clip(2)], Gap::default()).unwrap();
        write_gif(&folder.join(clip_name(0)), &pair, GifOptions::default()).unwrap();
        write_png(&folder.join("sheet.png"), &contact_sheet(&[clip(1), clip(2)], Gap::default()).unwrap(), 1).unwrap();
    }
    let folder = step_folder(run, Stage::Generator, 50);
    for index in 0..2 {
        write_gif(&folder.join(generated_name("run & jump", index)), &clip(5), GifOptions::default()).unwrap();
    }
    fs::write(folder.join("broken-00.gif"), "no picture").unwrap();
}

fn report(run: &Path) -> String {
    let path = write_report(run).unwrap();
    assert_eq!(path, run.join("report.html"));
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_whole_run_makes_a_self_contained_page() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    fs::write(run.join(files::PIPELINE), "name = \"tiny <larp>\"\n[data]\nsize = 32\n").unwrap();
    let input = EnvironmentInput { device: "CPU (flex)".to_owned(), seed: 4711, git_commit: None };
    write_json(&run.join(files::ENVIRONMENT), &Environment::capture(input)).unwrap();
    write_metrics(run);
    write_samples(run);
    let problem = Problem { path: "v_<script>alert(1)</script>.avi".into(), reason: "no frames".to_owned() };
    write_problems(&run.join(files::PROBLEMS), &[problem]).unwrap();
    let metrics = [("nll".to_owned(), 3.25)].into();
    let stage = StageSummary { stage: Stage::Generator, steps: 50, seconds: 61.0, parameters: 1_234_567, metrics };
    let warnings = vec![Warning { stage: Stage::Generator, step: 40, message: "the codes <collapsed>".to_owned() }];
    let summary = Summary { pipeline: "tiny <larp>".to_owned(), complete: true, seconds: 300.0, stages: vec![stage], warnings };
    write_json(&run.join(files::SUMMARY), &summary).unwrap();

    let html = report(run);
    for expected in [
        "<h1>tiny &lt;larp&gt;</h1>",
        "Complete after 5 min 0 s",
        "22.50",
        "+2.25\u{a0}dB against the mean-frame baseline of 20.25\u{a0}dB",
        "75.0",
        "3.25",
        "1\u{202f}234\u{202f}567",
        "my &lt;odd&gt; metric",
        "1 value not drawn",
        "run &amp; jump",
        "v_&lt;script&gt;alert(1)&lt;",
        "`broken-00.gif` could not be shown",
        "Latest: step 200",
        "First, for comparison: step 100",
        "4711",
        "generator, step 40: the codes &lt;collapsed&gt;",
        "[data]",
        "<svg ",
    ] {
        assert!(html.contains(expected), "`{expected}` is missing");
    }
    assert_eq!(html.matches("src=\"data:image/gif;base64,").count(), 4);
    assert_eq!(html.matches("src=\"data:image/png;base64,").count(), 2);
    assert!(!html.contains("<script") && !html.contains("src=\"http") && !html.contains("href=\"http"));
}

#[test]
fn predicted_clips_have_a_section_of_their_own() {
    let run = tempfile::tempdir().unwrap();
    let folder = step_folder(run.path(), Stage::Generator, 50);
    write_gif(&folder.join(clip_name(0)), &clip(5), GifOptions::default()).unwrap();
    let sheet = prediction_sheet(&clip(1), &[clip(2)], 1, 2).unwrap();
    write_png(&folder.join(prediction_sheet_name(0)), &sheet, 1).unwrap();
    fs::write(folder.join("clip-00.mp4"), "the same as a film").unwrap();
    let html = report(run.path());
    assert!(html.contains("Predicted clips") && !html.contains("Generated clips") && !html.contains("could not be shown"));
    for kind in ["gif", "png"] {
        assert_eq!(html.matches(&format!("src=\"data:image/{kind};base64,")).count(), 1, "{kind}");
    }
}

#[test]
fn an_empty_run_makes_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let html = report(folder.path());
    assert!(html.contains("Not started"));
    assert!(!html.contains("<section") && !html.contains("<img"));
}

#[test]
fn a_run_half_way_shows_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write_metrics(folder.path());
    let html = report(folder.path());
    assert!(html.contains("In progress: generator at step 50"));
    assert!(!html.contains("id=\"setup\""));
}

#[test]
fn broken_files_leave_a_note() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(files::SUMMARY), "{").unwrap();
    fs::write(folder.path().join(files::METRICS), "nonsense\n").unwrap();
    let html = report(folder.path());
    assert!(html.contains("`summary.json` could not be read") && html.contains("`metrics.jsonl` could not be read"));
}

#[test]
fn a_missing_folder_is_an_error() {
    let error = write_report(Path::new("no such run")).unwrap_err();
    assert_eq!(error.to_string(), "`no such run` is not a run folder");
}

#[test]
fn analyses_are_shown_with_their_table_and_pictures_and_a_broken_one_leaves_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let of = folder.path().join("analysis/repetition");
    fs::create_dir_all(&of).unwrap();
    fs::write(of.join("plot.svg"), "<svg width=\"10\" height=\"5\" viewBox=\"0 0 10 5\"/>").unwrap();
    let rows: Vec<[String; 1]> = (0..30).map(|row| [format!("row <{row}>")]).collect();
    let picture = |file: &str| serde_json::json!({"file": file, "caption": format!("shown {file}")});
    let record = serde_json::json!({
        "analysis": "repetition", "title": "Repeated frames", "notes": ["A note."], "table": {"columns": ["run"], "rows": rows},
        "pictures": [picture("plot.svg"), picture("../../secret.svg")], "files": ["repetition.csv"], "result": {},
    });
    write_json(&of.join("analysis.json"), &record).unwrap();
    write_json(&folder.path().join("analysis/codebook/analysis.json"), &serde_json::json!({"title": 1})).unwrap();
    // beside the run's analyses, and not to be shown
    fs::write(folder.path().join("secret.svg"), "<svg width=\"10\" height=\"5\"/>").unwrap();
    // the engine writes a slash as an entity
    let html = report(folder.path()).replace("&#x2f;", "/");
    assert!(html.contains("Repeated frames") && html.contains("A note.") && html.contains("shown plot.svg"), "{html}");
    assert!(html.contains("row &lt;23&gt;") && !html.contains("row &lt;24&gt;") && html.contains("6 more rows"), "{html}");
    assert!(html.contains("data:image/svg+xml;base64,") && html.contains("href=\"analysis/repetition/repetition.csv\""));
    assert!(!html.contains("shown ../../secret.svg") && html.contains("`analysis/codebook/analysis.json` could not be read"));
}
