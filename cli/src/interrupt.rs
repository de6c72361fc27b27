//! Ctrl-C: the first saves and stops, the second stops at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// Exit code after Ctrl-C: 128 and the signal's number, as shells have it.
pub const EXIT: u8 = 130;

/// A flag that the first SIGINT sets.
pub fn watch() -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    // in this order: the first signal finds the flag unset, and sets it
    flag::register_conditional_shutdown(SIGINT, i32::from(EXIT), interrupted.clone())?;
    flag::register(SIGINT, interrupted.clone())?;
    Ok(interrupted)
}
