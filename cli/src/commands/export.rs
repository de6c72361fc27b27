//! `export`.

use anyhow::Result;
use larp_runtime::foreign::{ExportRequest, export as write};

use crate::args::ExportArgs;
use crate::output::{print, thousands};

/// Writes a model of a run as another program saves it.
pub fn export(args: ExportArgs) -> Result<()> {
    let exported = write(&ExportRequest { run: args.run, stage: args.stage.into(), output: args.output })?;
    let [config, weights] = exported.files.map(|path| path.display().to_string());
    print(&format!("{config}\n{weights}: {} tensors, layout {}\n", thousands(exported.tensors), exported.layout))
}
