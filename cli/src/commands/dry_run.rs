//! `train --dry-run`.

use anyhow::Result;
use larp_runtime::pipeline::Source;
use larp_runtime::train::{DryRun, StageCost, dry_run as measure};

use crate::args::TrainArgs;
use crate::output::{Side, print, print_json, table, thousands};
use crate::progress::duration;

/// Prints what a run would cost.
pub fn dry_run(mut source: Source, args: &TrainArgs) -> Result<()> {
    for text in &args.training.set {
        source.set(text)?;
    }
    let costs = measure(&source.pipeline()?, args.stage.into(), &args.training.device.device)?;
    if args.json { print_json(&costs) } else { print(&text(&costs)) }
}

fn text(costs: &DryRun) -> String {
    let DryRun { pipeline, device, parts, stages, estimated_seconds } = costs;
    let mut rows = vec![vec!["part".to_owned(), "plugin".to_owned(), "parameters".to_owned()]];
    for part in parts {
        rows.push(vec![part.part.into(), part.plugin.clone().unwrap_or_default(), thousands(part.parameters)]);
    }
    let parts = table(&[Side::Left, Side::Left, Side::Right], &rows);
    let heads = ["stage", "parameters", "batch", "peak memory", "step", "steps", "in all"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(stages.iter().map(row));
    let stages_table = table(&[Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right], &rows);
    let mut notes = String::new();
    for tokenizing in stages.iter().filter_map(|stage| stage.tokenizing) {
        let all = duration(tokenizing.clip_seconds * tokenizing.clips as f64);
        notes += &format!(
            "{} of it to tokenize {} clips, measured on {}\n",
            all,
            thousands(tokenizing.clips),
            tokenizing.measured_clips
        );
    }
    for critic in stages.iter().filter_map(|stage| stage.critic) {
        notes +=
            &format!("{} of the steps update the critic too and take {:.3} s\n", thousands(critic.updates), critic.step_seconds);
    }
    for stage in stages.iter().filter(|stage| !stage.losses.iter().all(|loss| loss.is_finite())) {
        notes += &format!("the loss of the {} is no number: its steps were skipped\n", stage.stage);
    }
    let whole = duration(*estimated_seconds);
    format!(
        "{pipeline} on {device}\n\n{parts}\n{stages_table}{notes}\nabout {whole}; evaluations, samples and checkpoints come on top\n"
    )
}

fn row(cost: &StageCost) -> Vec<String> {
    let batch = match cost.accumulation {
        1 => cost.batch_size.to_string(),
        passes => format!("{} x {passes}", cost.batch_size),
    };
    let peak = cost.peak_bytes.map_or_else(|| "unknown".into(), |bytes| format!("{:.2} GiB", bytes as f64 / (1u64 << 30) as f64));
    let step = format!("{:.3} s", cost.step_seconds);
    let (parameters, steps) = (thousands(cost.parameters), thousands(cost.steps));
    vec![cost.stage.to_string(), parameters, batch, peak, step, steps, duration(cost.estimated_seconds)]
}
