//! `generate`.

use anyhow::Result;
use larp_runtime::use_run::GenerateRequest;

use super::trained::{counter, mp4_possible, open};
use crate::args::GenerateArgs;
use crate::output::print;
use crate::terminal::Terminal;

/// Writes generated clips, and prints their files.
pub fn generate(args: &GenerateArgs, terminal: &Terminal) -> Result<()> {
    let run = open(&args.run)?;
    let mut classes = Vec::new();
    for name in &args.class {
        let class = run.class(name)?;
        // a class named twice is one class: its files have one name
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    let mut sampling = args.sampling.over(run.pipeline.sampling);
    sampling.cfg_scale = args.cfg.unwrap_or(sampling.cfg_scale);
    let counter = counter(terminal, "generating");
    let generated = run.generate(&GenerateRequest { classes, count: args.count as usize, sampling, seed: args.sampling.seed });
    counter.finish_and_clear();
    let with_mp4 = mp4_possible(terminal);
    for clip in generated? {
        let files = clip.write(&args.output, with_mp4)?;
        let files: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
        print(&files)?;
    }
    Ok(())
}
