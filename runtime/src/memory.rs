//! Memory of this process.

/// The most resident memory of the process so far, in bytes; `None` where the system does not tell (it does on Linux).
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Lets [`peak`] count from the memory of now on. Where the system refuses, it goes on counting from the start.
pub fn reset_peak() {
    // `5` resets the peak: man page proc_pid_clear_refs(5)
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_peak_stays_after_the_memory_is_given_back() {
        const BYTES: usize = 256 << 20;
        let before = peak().unwrap();
        let filled = std::hint::black_box(vec![1_u8; BYTES]);
        let full = peak().unwrap();
        drop(filled);
        assert!(full >= before + BYTES as u64 / 2, "{before} {full}");
        // the system counts in batches of pages
        assert!(peak().unwrap() >= before + BYTES as u64 / 2);
    }
}
