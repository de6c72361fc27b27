//! `completions`.

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::output::{print, program_name};

/// Prints a completion script for the program by the name it was started under.
pub fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), program_name(), &mut script);
    print(&String::from_utf8_lossy(&script))
}
