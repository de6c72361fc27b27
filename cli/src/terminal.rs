//! Standard error, shared by log lines and the progress bar.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;

/// Whoever writes to standard error goes through this, so that no line is written into a bar.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    bars: MultiProgress,
}

impl Terminal {
    /// Whether a person is looking at standard error.
    pub fn is_interactive(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// The bars at the bottom.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes a line above the bars.
    pub fn line(&self, text: impl AsRef<str>) {
        // a standard error that is closed cannot be told about it
        let _ = self.write_whole(format!("{}\n", text.as_ref()).as_bytes());
    }

    fn write_whole(&self, bytes: &[u8]) -> io::Result<()> {
        if self.is_interactive() { self.bars.suspend(|| io::stderr().write_all(bytes)) } else { io::stderr().write_all(bytes) }
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_whole(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
