//! Log lines on standard error.

use std::env;

use tracing_subscriber::EnvFilter;

use crate::terminal::Terminal;

/// Starts the log: warnings, with `-v` information, with `-vv` details; `RUST_LOG` takes precedence.
pub fn start(verbose: u8, terminal: &Terminal) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let from_environment = env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty()).map(EnvFilter::try_new);
    let (filter, problem) = match from_environment {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(level), Some(error)),
        None => (EnvFilter::new(level), None),
    };
    let colour = terminal.is_interactive() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let writer = terminal.clone();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(move || writer.clone());
    if verbose == 0 {
        log.without_time().with_target(false).init();
    } else {
        log.init();
    }
    if let Some(error) = problem {
        tracing::warn!("`RUST_LOG` is not a filter: {error}");
    }
}
