//! `inspect`.

use std::path::Path;

use anyhow::Result;
use larp_runtime::inspect::{Inspection, inspect as look, inspect_with_classes};
use larp_runtime::pipeline::Source;
use larp_runtime::report::files::PIPELINE;
use larp_runtime::run::RunFolder;

use crate::args::InspectArgs;
use crate::output::{Side, print, print_json, table, thousands};

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
    let inspection = match run {
        Some(run) => inspect_with_classes(&pipeline, run.data()?.classes.len())?,
        None => look(&pipeline)?,
    };
    if args.json { print_json(&inspection) } else { print(&text(&inspection)) }
}

fn text(inspection: &Inspection) -> String {
    let Inspection { pipeline, parts, tokenizer_parameters, total_parameters, tokens, vocab_size, bits, classes } = inspection;
    let mut rows = vec![["part", "plugin", "input", "output", "parameters"].map(str::to_owned).to_vec()];
    for part in parts {
        let plugin = part.plugin.clone().unwrap_or_default();
        rows.push(vec![part.part.into(), plugin, shape(&part.input), shape(&part.output), thousands(part.parameters)]);
    }
    let total = |name: &str, count| vec![name.to_owned(), String::new(), String::new(), String::new(), thousands(count)];
    rows.push(total("tokenizer", *tokenizer_parameters));
    rows.push(total("total", *total_parameters));
    let table = table(&[Side::Left, Side::Left, Side::Left, Side::Left, Side::Right], &rows);
    let tokens = format!("{} tokens of {} codes, {} bits a clip", thousands(*tokens), thousands(*vocab_size), bits_text(*bits));
    let classes = if *classes == 1 { "1 class".to_owned() } else { format!("{} classes", thousands(*classes)) };
    format!("{pipeline}\n\n{table}\n{tokens}; {classes}\n")
}

fn shape(sizes: &[usize]) -> String {
    if sizes.is_empty() { "class".into() } else { sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ") }
}

fn bits_text(bits: f64) -> String {
    if bits.fract() == 0.0 { thousands(bits as usize) } else { format!("{bits:.1}") }
}
