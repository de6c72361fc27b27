//! `import`.

use std::fs;

use anyhow::{Context, Result};
use larp_runtime::foreign::{Average, ImportRequest, import as take_over};

use crate::args::ImportArgs;
use crate::output::{print, program_name, thousands};

/// Makes a run folder of models that another program trained.
pub fn import(args: ImportArgs) -> Result<()> {
    let classes = match &args.classes {
        None => Vec::new(),
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        }
    };
    let average = args.ema.map(|decay| if decay.is_empty() { Average::Only } else { Average::Decay(decay) });
    let run = args.output.display().to_string();
    let request = ImportRequest { sources: args.sources, pipeline: args.pipeline, average, classes, run: args.output };
    let mut text = String::new();
    for model in take_over(&request)? {
        let (tensors, parameters) = (thousands(model.tensors), thousands(model.parameters));
        let average = model.origin.average.map(|decay| format!(", average of decay {decay}")).unwrap_or_default();
        text +=
            &format!("{}: {tensors} tensors, {parameters} parameters{average}, of {}\n", model.origin.stage, model.origin.source);
    }
    let larp = program_name();
    print(&format!("{text}{run}\n\nnext:\n  {larp} inspect {run}\n  {larp} reconstruct --run {run} INPUT -o out\n"))
}
