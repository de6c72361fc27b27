//! The command line of larp: it parses, calls and prints; all else is `larp-runtime`'s.
//!
//! A program with plugins of its own is five lines:
//!
//! ```no_run
//! // use my_quantizer as _;   the crate with the plugins
//!
//! fn main() -> std::process::ExitCode {
//!     larp_cli::main()
//! }
//! ```
#![recursion_limit = "256"]

mod args;
mod commands;
mod failure;
mod interrupt;
mod logging;
mod output;
mod progress;
mod results;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
// linked for their entries in the registry
use larp_plugins as _;

/// Runs the program on the arguments of the process. Exit codes: 0, 1 for a failure, 2 for a wrong command line, 130 after Ctrl-C.
pub fn main() -> ExitCode {
    let args = args::Args::parse();
    let terminal = terminal::Terminal::default();
    logging::start(args.verbose, &terminal);
    match commands::run(args.command, &terminal) {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}
