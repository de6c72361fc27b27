//! `inspect`.

use std::path::Path;

use anyhow::Result;
use larp_runtime::eval::Protocol;
use larp_runtime::inspect::{Inspection, inspect as look, inspect_with_classes};
use larp_runtime::pipeline::{Pipeline, Preset, SettingSide, Side, Source};
use larp_runtime::report::files::PIPELINE;
use larp_runtime::run::RunFolder;

use crate::args::InspectArgs;
use crate::output::{Side as Align, print, print_json, table, thousands};

/// Prints the parts of a pipeline and its sizes.
pub fn inspect(args: &InspectArgs) -> Result<()> {
    let path = Path::new(&args.pipeline);
    let run = path.is_dir().then(|| RunFolder::open(path)).transpose()?;
    let file = path.join(PIPELINE);
    let mut source = Source::open(if run.is_some() { file.to_string_lossy() } else { args.pipeline.as_str().into() }.as_ref())?;
    for text in &args.set {
        source.set(text)?;
    }
    let pipeline = source.pipeline()?;
    if args.preset_diff {
        pipeline.plan()?;
        let protocol = Protocol::open(&args.protocol)?;
        let mut sides = [pipeline.preset_sides()?, protocol.preset_sides(pipeline.clip)?].concat();
        sides.sort_by_key(|side| side.item);
        return if args.json { print_json(&sides) } else { print(&preset_text(&pipeline, &protocol, &sides)) };
    }
    let inspection = match run {
        Some(run) => inspect_with_classes(&pipeline, run.data()?.classes.len())?,
        None => look(&pipeline)?,
    };
    if args.json { print_json(&inspection) } else { print(&text(&inspection)) }
}

fn text(inspection: &Inspection) -> String {
    let Inspection { pipeline, parts, tokenizer_parameters, total_parameters, tokens, vocab_size, bits, classes, files } =
        inspection;
    let mut rows = vec![["part", "plugin", "input", "output", "parameters"].map(str::to_owned).to_vec()];
    for part in parts {
        let plugin = part.plugin.clone().unwrap_or_default();
        rows.push(vec![part.part.into(), plugin, shape(&part.input), shape(&part.output), thousands(part.parameters)]);
    }
    let total = |name: &str, count| vec![name.to_owned(), String::new(), String::new(), String::new(), thousands(count)];
    rows.push(total("tokenizer", *tokenizer_parameters));
    rows.push(total("total", *total_parameters));
    let table = table(&[Align::Left, Align::Left, Align::Left, Align::Left, Align::Right], &rows);
    let tokens = format!("{} tokens of {} codes, {} bits a clip", thousands(*tokens), thousands(*vocab_size), bits_text(*bits));
    let classes = if *classes == 1 { "1 class".to_owned() } else { format!("{} classes", thousands(*classes)) };
    let files = files.iter().map(|file| {
        let state = if file.there { "there" } else { "not there yet; training says how to get it" };
        format!("{}: `{}` is {state}\n", file.what, file.path.display())
    });
    format!("{pipeline}\n\n{table}\n{tokens}; {classes}\n{}", files.collect::<String>())
}

fn preset_text(pipeline: &Pipeline, protocol: &Protocol, sides: &[SettingSide]) -> String {
    let mut rows = vec![["item", "setting", "value", "side", "paper", "released code", "what it is"].map(str::to_owned).to_vec()];
    for side in sides {
        let name = match side.side {
            Side::Paper => "paper",
            Side::Released => "released",
            Side::Both => "both",
            Side::Neither => "neither",
        };
        rows.push(vec![
            side.item.to_string(),
            side.key.into(),
            side.value.to_string(),
            name.into(),
            side.paper.to_string(),
            side.released.to_string(),
            side.title.into(),
        ]);
    }
    let sides = [Align::Right, Align::Left, Align::Right, Align::Left, Align::Right, Align::Right, Align::Left];
    let preset = match pipeline.preset {
        None => "no preset",
        Some(Preset::Paper) => "preset \"paper\"",
        Some(Preset::Released) => "preset \"released\"",
    };
    format!("{}, {preset}; measured under {}\n\n{}", pipeline.name, protocol.name, table(&sides, &rows))
}

fn shape(sizes: &[usize]) -> String {
    if sizes.is_empty() { "class".into() } else { sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ") }
}

fn bits_text(bits: f64) -> String {
    if bits.fract() == 0.0 { thousands(bits as usize) } else { format!("{bits:.1}") }
}
