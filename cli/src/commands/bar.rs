//! How far a command is, where the amount of work is known.

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::Terminal;

/// A bar on a terminal; nothing elsewhere.
pub struct Bar(Option<ProgressBar>);

impl Bar {
    /// Not begun.
    pub fn new(terminal: &Terminal) -> Self {
        let style = || {
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}  {eta} left").expect("a template of our own");
            style.progress_chars("━╸─")
        };
        Self(terminal.is_interactive().then(|| terminal.bars().add(ProgressBar::new(0).with_style(style()))))
    }

    /// So much of so much is done.
    pub fn show(&self, done: u64, total: u64, what: &str) {
        if let Some(bar) = &self.0 {
            if bar.length() != Some(total) || done < bar.position() {
                bar.reset();
                bar.set_length(total);
            }
            bar.set_message(what.to_owned());
            bar.set_position(done);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
