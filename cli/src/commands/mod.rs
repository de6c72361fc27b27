//! One file a subcommand: each a function from arguments to what is printed.

mod ablate;
mod analyze;
mod bar;
mod completions;
mod compose;
mod data;
mod demo;
mod doctor;
mod dry_run;
mod eval;
mod export;
mod generate;
mod import;
mod inspect;
mod plugins;
mod predict;
mod reconstruct;
mod tokenize;
mod train;
mod trained;

use std::process::ExitCode;

use anyhow::Result;

use crate::args::Command;
use crate::terminal::Terminal;

/// Runs a subcommand.
pub fn run(command: Command, terminal: &Terminal) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Demo(args) => demo::demo(args, terminal),
        Command::Plugins(args) => plugins::plugins(args.command).map(done),
        Command::Compose(args) => compose::compose(args, terminal),
        Command::Inspect(args) => inspect::inspect(&args).map(done),
        Command::Train(args) => train::train(args, terminal),
        Command::Ablate(args) => ablate::ablate(args, terminal),
        Command::Tokenize(args) => tokenize::tokenize(&args, terminal).map(done),
        Command::Reconstruct(args) => reconstruct::reconstruct(&args, terminal).map(done),
        Command::Generate(args) => generate::generate(&args, terminal).map(done),
        Command::Predict(args) => predict::predict(&args, terminal).map(done),
        Command::Eval(args) => eval::eval(&args, terminal).map(done),
        Command::Analyze(args) => analyze::analyze(&args.command, terminal).map(done),
        Command::Import(args) => import::import(args).map(done),
        Command::Export(args) => export::export(args).map(done),
        Command::Data(args) => data::data(&args.command),
        Command::Doctor(args) => doctor::doctor(&args).map(done),
        Command::Completions(args) => completions::completions(&args).map(done),
    }
}
