//! `compose` step by step.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use inquire::{InquireError, Select, Text};
use larp_runtime::pipeline::{Source, builtin_names};
use larp_traits::{Kind, Registry};
use toml::Value;

use crate::args::ComposeArgs;

/// A plugin as it is offered.
struct Offer {
    name: &'static str,
    summary: &'static str,
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.summary)
    }
}

/// Fills the arguments by asking; `false` when the user left with Escape or Ctrl-C.
pub fn ask(args: &mut ComposeArgs) -> Result<bool> {
    match questions(args) {
        Ok(()) => Ok(true),
        Err(error) => match error.downcast_ref::<InquireError>() {
            Some(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(false),
            _ => Err(error).context("cannot ask on this terminal; use options such as `--quantizer vq`"),
        },
    }
}

fn questions(args: &mut ComposeArgs) -> Result<()> {
    let base = Select::new("Pipeline to start from", builtin_names().collect()).prompt()?;
    let table = Source::open(base)?.table;
    args.base = Some(base.to_owned());
    for kind in Kind::PARTS {
        let current = table.get(kind.name()).and_then(|part| part.get("type")).and_then(Value::as_str).unwrap_or("none");
        let mut offers: Vec<Offer> =
            Registry::global()?.list(Some(kind)).map(|plugin| Offer { name: plugin.name, summary: plugin.summary }).collect();
        if kind.is_optional() {
            offers.push(Offer { name: "none", summary: "leave it out" });
        }
        let start = offers.iter().position(|offer| offer.name == current).unwrap_or_default();
        let chosen = Select::new(&format!("The {kind}"), offers).with_starting_cursor(start).prompt()?.name;
        // a part that stays keeps its settings
        if chosen != current {
            let argument = match kind {
                Kind::Encoder => &mut args.encoder,
                Kind::Quantizer => &mut args.quantizer,
                Kind::Decoder => &mut args.decoder,
                Kind::Prior => &mut args.prior,
                Kind::Generator => &mut args.generator,
                Kind::Critic => &mut args.critic,
                Kind::Perceptual => &mut args.perceptual,
                Kind::Features => continue,
            };
            *argument = Some(chosen.to_owned());
        }
    }
    while let Some(set) = Text::new("A value to set").with_help_message("key=value, or nothing to go on").prompt_skippable()? {
        if set.trim().is_empty() {
            break;
        }
        args.set.push(set);
    }
    if args.output.is_none() {
        let file = Text::new("File to write").with_help_message("nothing prints it").prompt()?;
        args.output = Some(file.trim()).filter(|file| !file.is_empty()).map(PathBuf::from);
    }
    Ok(())
}
