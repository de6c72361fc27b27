//! What `tokenize`, `reconstruct`, `generate` and `predict` share.

use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use larp_runtime::device;
use larp_runtime::media::ffmpeg_available;
use larp_runtime::use_run::TrainedRun;

use crate::args::RunArgs;
use crate::terminal::Terminal;

/// Opens the run on the device.
pub fn open(args: &RunArgs) -> Result<TrainedRun> {
    let device = device::parse(&args.device.device)?;
    Ok(TrainedRun::open(&args.run, &device)?)
}

/// A count of clips on a terminal; nothing elsewhere.
pub fn counter(terminal: &Terminal, what: &str) -> ProgressBar {
    if !terminal.is_interactive() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg}: {pos} clips").expect("a template of our own");
    let bar = terminal.bars().add(ProgressBar::no_length().with_style(style).with_message(what.to_owned()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Whether mp4 files can be written; says so when not.
pub fn mp4_possible(terminal: &Terminal) -> bool {
    let possible = ffmpeg_available();
    if !possible {
        terminal.line("without `ffmpeg` there are GIFs but no mp4 files; `doctor` says how to install it");
    }
    possible
}
