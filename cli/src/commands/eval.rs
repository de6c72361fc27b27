//! `eval`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use larp_runtime::analyze::FOLDER;
use larp_runtime::data::DataSettings;
use larp_runtime::device;
use larp_runtime::eval::{
    Comparison, EvalRequest, EvalResult, Protocol, ProtocolChanges, Shard, ShardChoice, Value, compare, finish, join, measure,
    open_shards, shard_name, write_result,
};
use larp_runtime::report::{files, number, write_report};
use larp_runtime::use_run::TrainedRun;

use super::bar::Bar;
use crate::args::EvalArgs;
use crate::output::{Side, print, print_json, table};
use crate::terminal::Terminal;

/// Measures, joins or compares, and prints the numbers.
pub fn eval(args: &EvalArgs, terminal: &Terminal) -> Result<()> {
    if !args.compare.is_empty() {
        let comparison = compare(&args.compare)?;
        return if args.json { print_json(&comparison) } else { print(&compared(&comparison)) };
    }
    if let Some(folder) = &args.merge {
        let shard = join(open_shards(folder)?)?;
        return show(&shard, args.output.as_ref().unwrap_or(folder), args.json);
    }
    let run = args.run.as_ref().context("name a run folder")?;
    let trained = TrainedRun::open(run, &device::parse(&args.device.device)?)?;
    let protocol = Protocol::open(&args.protocol)?;
    let clips = args.clips.map(usize::try_from).transpose()?;
    let (protocol, changes) = protocol.changed(ProtocolChanges { split: args.split.map(Into::into), clips });
    let folder = args.output.clone().unwrap_or_else(|| run.join(FOLDER).join(format!("eval-{}", protocol.name)));
    let mut metrics = args.metrics.clone();
    metrics.sort();
    metrics.dedup();
    let data = args.data.as_deref().map(DataSettings::from_source).transpose()?;
    let shard = args.shard.unwrap_or(ShardChoice::WHOLE);
    let request = EvalRequest { metrics, protocol, changes, data, shard, device: args.device.device.clone() };
    let bar = Bar::new(terminal);
    let measured = measure(&trained, &request, &mut |done, total, what| bar.show(done, total, what))?;
    drop(bar);
    if args.shard.is_some() {
        let path = folder.join(shard_name(measured.index, measured.of));
        measured.write(&path)?;
        return print(&format!("{} clips\n{}\n", measured.clips.len(), path.display()));
    }
    show(&measured, &folder, args.json)
}

/// Writes a whole measurement and prints it.
fn show(shard: &Shard, folder: &Path, json: bool) -> Result<()> {
    let result = finish(shard)?;
    let record = write_result(folder, shard, &result)?;
    if let Some(run) = run_of(folder) {
        write_report(&run)?;
    }
    if json { print_json(&result) } else { print(&text(&result, &record.notes, folder)) }
}

/// The run whose page shows what lies in a folder.
fn run_of(folder: &Path) -> Option<PathBuf> {
    let parent = folder.parent().filter(|parent| parent.file_name().is_some_and(|name| name == FOLDER))?;
    parent.parent().filter(|run| run.join(files::PIPELINE).is_file()).map(Path::to_owned)
}

fn text(result: &EvalResult, notes: &[String], folder: &Path) -> String {
    let rows: Vec<Vec<String>> = result
        .metrics
        .values()
        .map(|value| {
            let interval = value.interval.map(|[low, high]| format!("{} .. {}", plain(low, value), plain(high, value)));
            vec![value.name.clone(), shown(value), interval.unwrap_or_default(), format!("{} clips", value.clips)]
        })
        .collect();
    let notes: String = notes.iter().map(|note| format!("{note}\n")).collect();
    format!("{}\n{notes}\n{}\n", table(&[Side::Left, Side::Right, Side::Left, Side::Right], &rows), folder.display())
}

fn plain(number_of: f64, value: &Value) -> String {
    number(if value.unit == "%" { number_of * 100.0 } else { number_of })
}

fn shown(value: &Value) -> String {
    format!("{} {}", plain(value.value, value), value.unit).trim_end().to_owned()
}

fn compared(comparison: &Comparison) -> String {
    let mut rows = vec![[vec!["result".to_owned(), "pipeline".into()], comparison.columns.clone()].concat()];
    for row in &comparison.rows {
        let mark = row.mark.map(|mark| format!(" [{mark}]")).unwrap_or_default();
        let values = row.values.iter().map(|value| value.as_ref().map_or("-".into(), |value| format!("{}{mark}", shown(value))));
        rows.push([row.file.display().to_string(), row.pipeline.clone()].into_iter().chain(values).collect());
    }
    let mut sides = vec![Side::Left, Side::Left];
    sides.extend(comparison.columns.iter().map(|_| Side::Right));
    let marks = comparison.marks.iter().enumerate();
    let marks: String =
        marks.map(|(index, text)| format!("[{}] measured otherwise than the first: {text}\n", index + 1)).collect();
    format!("{}\n{marks}", table(&sides, &rows))
}
