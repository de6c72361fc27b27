//! `compose`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use larp_runtime::media::{FileError, write_atomically};
use larp_runtime::pipeline::{Composition, Part, Source, compose as exchange};
use larp_traits::Kind;

use crate::args::ComposeArgs;
use crate::interrupt;
use crate::output::{print, program_name};
use crate::terminal::Terminal;

mod ask;

/// What `--base` is when it is not given.
const BASE: &str = "larp-tiny";

/// Writes a pipeline with other parts.
pub fn compose(mut args: ComposeArgs, terminal: &Terminal) -> Result<ExitCode> {
    if is_bare(&args) && io::stdin().is_terminal() && terminal.is_interactive() && !ask::ask(&mut args)? {
        return Ok(ExitCode::from(interrupt::EXIT));
    }
    let name = args.base.as_deref().unwrap_or(BASE);
    let base = Source::open(name)?;
    let composition = composition(&args);
    let heading = format!("{name}{}", changes(&composition));
    let text = exchange(base, &composition)?.to_toml(&heading)?;
    match &args.output {
        None => print(&text)?,
        Some(path) => {
            write_atomically(path, |path| fs::write(path, &text).map_err(FileError::at("write", path)))?;
            let (larp, stem, path) = (program_name(), stem(path), path.display());
            print(&format!("{path}\n\nnext:\n  {larp} inspect {path}\n  {larp} train {path} --run runs/{stem}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether nothing says what to compose; where to write it is no such thing.
fn is_bare(args: &ComposeArgs) -> bool {
    args.base.is_none() && parts(args).into_iter().all(Option::is_none) && args.set.is_empty()
}

/// The name for each kind, in the order of the kinds.
fn parts(args: &ComposeArgs) -> [&Option<String>; Kind::PARTS.len()] {
    let ComposeArgs { encoder, quantizer, decoder, prior, generator, critic, perceptual, .. } = args;
    [encoder, quantizer, decoder, prior, generator, critic, perceptual]
}

fn composition(args: &ComposeArgs) -> Composition {
    let parts = Kind::PARTS.into_iter().zip(parts(args)).filter_map(|(kind, name)| Some((kind, part(kind, name.as_deref()?))));
    let mut set = args.set.clone();
    // reports and errors show the name; a pipeline of its own has one of its own
    let named = set.iter().any(|text| text.trim_start().starts_with("name"));
    if let (Some(path), false) = (&args.output, named) {
        set.push(format!("name={}", toml::Value::from(stem(path))));
    }
    Composition { parts: parts.collect(), set }
}

fn part(kind: Kind, name: &str) -> Part {
    if kind.is_optional() && name == "none" { Part::None } else { Part::Plugin(name.to_owned()) }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// ` with quantizer vq, losses.prior=0`.
fn changes(composition: &Composition) -> String {
    let part = |(kind, part): &(Kind, Part)| match part {
        Part::Plugin(name) => format!("{kind} {name}"),
        Part::None => format!("no {kind}"),
    };
    let set = composition.set.iter().filter(|text| !text.starts_with("name=")).cloned();
    let changes: Vec<String> = composition.parts.iter().map(part).chain(set).collect();
    if changes.is_empty() { String::new() } else { format!(" with {}", changes.join(", ")) }
}
