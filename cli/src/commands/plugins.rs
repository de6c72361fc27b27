//! `plugins list`, `plugins describe`, `plugins new`.

use anyhow::{Context, Result, bail};
use larp_runtime::scaffold::{Source, new_plugin};
use larp_traits::registry::nearest_first;
use larp_traits::{Kind, Registry};
use serde::Serialize;

use crate::args::{DescribeArgs, ListArgs, NewArgs, PluginsCommand};
use crate::output::{Side, print, print_json, table};

/// Lists, describes or starts plugins.
pub fn plugins(command: PluginsCommand) -> Result<()> {
    match command {
        PluginsCommand::List(args) => list(&args),
        PluginsCommand::Describe(args) => describe(&args),
        PluginsCommand::New(args) => new(&args),
    }
}

#[derive(Serialize)]
struct Listed {
    kind: &'static str,
    name: &'static str,
    summary: &'static str,
    source: &'static str,
}

fn list(args: &ListArgs) -> Result<()> {
    let kind = args.kind.as_deref().map(kind_of).transpose()?;
    let plugins = Registry::global()?.list(kind);
    let plugins = plugins.map(|plugin| {
        let (kind, name, summary, source) = (plugin.kind.name(), plugin.name, plugin.summary, plugin.source);
        Listed { kind, name, summary, source }
    });
    if args.json {
        return print_json(&plugins.collect::<Vec<_>>());
    }
    let rows: Vec<_> = plugins.map(|p| vec![format!("{}/{}", p.kind, p.name), p.summary.to_owned()]).collect();
    print(&table(&[Side::Left, Side::Left], &rows))
}

fn describe(args: &DescribeArgs) -> Result<()> {
    let (kind, name) = split(&args.plugin)?;
    let plugin = Registry::global()?.get(kind, name)?;
    let mut settings = plugin.settings()?;
    // the table sorts its keys; which plugin it is comes first
    settings.remove("type");
    let settings = toml::to_string(&settings).context("cannot write the settings as TOML")?;
    let text = format!(
        "{kind}/{name}: {}\nsource: {}\ncrate: {}\n\n[{kind}]\ntype = \"{name}\"\n{}",
        plugin.summary,
        plugin.source,
        plugin.package,
        nested(&settings, kind),
    );
    print(&text)
}

/// Headers of inner tables as they stand below the part's own.
fn nested(settings: &str, kind: Kind) -> String {
    let line = |line: &str| match line.strip_prefix('[') {
        Some(header) => format!("[{kind}.{header}\n"),
        None => format!("{line}\n"),
    };
    settings.lines().map(line).collect()
}

fn new(args: &NewArgs) -> Result<()> {
    let source = match (&args.path, &args.git) {
        (Some(path), _) => Source::Path(path.clone()),
        (None, Some(address)) => Source::Git(address.clone()),
        (None, None) => {
            let into = std::path::absolute(&args.into).with_context(|| format!("cannot find `{}`", args.into.display()))?;
            Source::nearest(&into)
        }
    };
    let folder = new_plugin(kind_of(&args.kind)?, &args.name, &args.into, &source)?;
    print(&format!(
        "{folder}\n\nnext:\n  cd {folder}\n  cargo test --release\n  cargo run --release -- plugins describe {kind}/{name}\n",
        folder = folder.display(),
        kind = args.kind,
        name = args.name,
    ))
}

fn split(plugin: &str) -> Result<(Kind, &str)> {
    let Some((kind, name)) = plugin.split_once('/') else {
        bail!("`{plugin}` is not a kind and a name; write them as in `quantizer/svq`");
    };
    Ok((kind_of(kind)?, name))
}

fn kind_of(name: &str) -> Result<Kind> {
    match Kind::ALL.into_iter().find(|kind| kind.name() == name) {
        Some(kind) => Ok(kind),
        None => bail!("there is no kind `{name}`; there are {}", nearest_first(name, Kind::ALL.map(Kind::name)).join(", ")),
    }
}
