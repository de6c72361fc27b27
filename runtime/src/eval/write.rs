//! What a measurement leaves in its folder.

use std::path::Path;

use serde::Serialize;

use super::result::EvalResult;
use super::shard::Shard;
use crate::RuntimeError;
use crate::analyze::{Axis, Mark, Output, Plot, Record, Series};
use crate::report::{number, write_json};

/// The file with all values and the card.
pub const RESULT: &str = "result.json";

#[derive(Serialize)]
struct Row<'a> {
    number: usize,
    name: &'a str,
    start_frame: usize,
    sha256: &'a str,
    psnr: Option<f64>,
    ssim: Option<f64>,
    lpips: Option<f64>,
    l1: Option<f64>,
    mse: Option<f64>,
}

/// Writes `result.json`, `clips.csv`, the plot of distances against the number of clips, and the record that a run's page shows.
///
/// # Errors
/// When a file cannot be written.
pub fn write_result(folder: &Path, shard: &Shard, result: &EvalResult) -> Result<Record, RuntimeError> {
    let protocol = result.card.protocol.get("name").and_then(|name| name.as_str()).unwrap_or_default();
    let mut output = Output::new(folder, &format!("eval-{protocol}"), &format!("Evaluation: {protocol}"));
    output.columns(["metric", "value", "95 % interval", "clips", "better"]);
    for value in result.metrics.values() {
        let shown = |number: f64| shown(number, &value.unit);
        let interval = value.interval.map(|[low, high]| format!("{} .. {}", shown(low), shown(high)));
        let better = if value.higher_is_better { "higher" } else { "lower" };
        output.row([
            value.name.clone(),
            shown(value.value),
            interval.unwrap_or_default(),
            value.clips.to_string(),
            better.into(),
        ]);
    }
    for note in card_lines(result) {
        output.note(note);
    }
    let curves = result.metrics.values().filter(|value| value.by_clips.len() > 1);
    let series: Vec<Series> = curves
        .map(|value| Series {
            name: value.name.clone(),
            points: value.by_clips.iter().map(|(clips, value)| (*clips as f64, *value)).collect(),
        })
        .collect();
    if !series.is_empty() {
        let plot = Plot { x: Axis::logarithmic("number of clips"), y: Axis::linear("distance"), mark: Mark::Line, series };
        let caption = "Distance over the first clips alone: it falls with their number, so that only distances of equal numbers of clips \
                       can be compared.";
        output.plot("distance-against-n", &plot, caption)?;
    }
    let rows = shard.clips.iter().enumerate().map(|(row, clip)| {
        let value = |name: &str| shard.values.get(name).map(|values| values[row]);
        Row {
            number: clip.number,
            name: &clip.name,
            start_frame: clip.start_frame,
            sha256: &clip.sha256,
            psnr: value("psnr"),
            ssim: value("ssim"),
            lpips: value("lpips"),
            l1: value("l1"),
            mse: value("mse"),
        }
    });
    output.csv("clips", rows)?;
    write_json(&folder.join(RESULT), result)?;
    output.finish(result)
}

/// A number with its unit; shares in percent.
fn shown(value: f64, unit: &str) -> String {
    match unit {
        "%" => format!("{} %", number(value * 100.0)),
        "" => number(value),
        _ => format!("{} {unit}", number(value)),
    }
}

/// The card in sentences.
fn card_lines(result: &EvalResult) -> Vec<String> {
    let card = &result.card;
    let text = |key: &str| card.protocol.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let changes = if card.changes.is_empty() { String::new() } else { format!(", changed: {}", card.changes.join(", ")) };
    let mut lines = vec![
        format!("Protocol `{}`{changes}. {}", text("name"), text("about")),
        format!(
            "{} clips of {} x {} x {} from the {} split of `{}`, list {}; {} windows, seed {}.",
            card.clips - result.missing_clips.min(card.clips),
            card.clip.frames,
            card.clip.height,
            card.clip.width,
            text("split"),
            card.data,
            short(card.clip_list_sha256.as_deref().unwrap_or_default()),
            text("windows"),
            card.protocol.get("seed").map(ToString::to_string).unwrap_or_default(),
        ),
    ];
    if result.missing_clips > 0 {
        lines.push(format!("{} clips could not be read and are left out.", result.missing_clips));
    }
    if let Some(features) = &card.features {
        lines.push(format!(
            "Features of {} values, weights {}, covariance over {}.",
            features.dim,
            short(&features.weights_sha256),
            text("covariance").to_uppercase()
        ));
    }
    let of = |name: &str, card: &super::card::CheckpointCard| format!("{name} at step {}, {}", card.step, short(&card.sha256));
    let mut models = vec![of("tokenizer", &card.tokenizer)];
    models.extend(card.generator.as_ref().map(|generator| of("generator", generator)));
    models.extend(
        card.sampling
            .map(|s| format!("guidance {}, temperature {}, top-k {}, top-p {}", s.cfg_scale, s.temperature, s.top_k, s.top_p)),
    );
    lines.push(format!("`{}`: {}; {} on {}, {}.", card.pipeline, models.join("; "), card.dtype, card.backend, card.program));
    lines
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
