//! Ctrl-C: the first saves and stops, the second stops at once.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Sets the flag when standard input closes, as it does when the process at its other end is gone.
pub fn watch_stdin(interrupted: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        // what is written there means nothing; an error is an end too
        while io::stdin().lock().read(&mut bytes).is_ok_and(|count| count > 0) {}
        interrupted.store(true, Ordering::Relaxed);
    });
}
