//! `tokenize`.

use anyhow::Result;

use super::trained::{counter, open};
use crate::args::TokenizeArgs;
use crate::output::{print, thousands};
use crate::terminal::Terminal;

/// Writes the tokens of files.
pub fn tokenize(args: &TokenizeArgs, terminal: &Terminal) -> Result<()> {
    let run = open(&args.run)?;
    let counter = counter(terminal, "tokenizing");
    let mut clips = run.clips(args.inputs.clone(), args.windows.into());
    let tokenized = run.tokenize(clips.by_ref().inspect(|_| counter.inc(1)));
    counter.finish_and_clear();
    let tokenized = tokenized?;
    run.save_tokens(&args.output, &tokenized)?;
    let (count, length) = (thousands(tokenized.clips.len()), thousands(tokenized.tokens.length));
    let left_out = clips.problems().len();
    let left_out = if left_out == 0 { String::new() } else { format!("; {left_out} left out") };
    print(&format!("{}: tokens [{count}, {length}]{left_out}\n", args.output.display()))
}
