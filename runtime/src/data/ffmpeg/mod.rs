//! FFmpeg as separate processes.
//!
//! A decoder that crashes or is attacked cannot take the run down, and nothing is linked. Only local files are opened
//! (`-protocol_whitelist file,pipe`), and the prefix `file:` keeps a path that begins with `-` or holds a colon a path.

mod decode;
mod probe;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) use decode::{CountError, count_frames, is_sought, open_frames};
pub(crate) use probe::{count_packets, probe};

use super::DataError;

/// The programs found on the PATH, looked for at the first use.
#[derive(Debug, Default)]
pub(crate) struct Tools(OnceLock<Result<Ffmpeg, &'static str>>);

/// A usable pair of `ffmpeg` and `ffprobe`.
#[derive(Debug, Clone)]
pub(crate) struct Ffmpeg {
    /// How this version is told to give every frame once: `-vsync` became `-fps_mode` in 5.1, and later went away.
    passthrough: [&'static str; 2],
}

impl Tools {
    /// The programs, or an error that says how to install them; `path` is the file that needs them.
    pub(crate) fn ffmpeg(&self, path: &Path) -> Result<&Ffmpeg, DataError> {
        let found = self.0.get_or_init(Ffmpeg::find);
        found.as_ref().map_err(|program| DataError::FfmpegMissing { program, path: path.to_owned() })
    }
}

impl Ffmpeg {
    fn find() -> Result<Self, &'static str> {
        let version = version("ffmpeg")?;
        version_of_ffprobe()?;
        let passthrough = if before_5_1(&version) { ["-vsync", "passthrough"] } else { ["-fps_mode", "passthrough"] };
        Ok(Self { passthrough })
    }
}

fn version_of_ffprobe() -> Result<String, &'static str> {
    version("ffprobe")
}

fn version(program: &'static str) -> Result<String, &'static str> {
    let output = Command::new(program).arg("-version").stdin(Stdio::null()).output().map_err(|_| program)?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// Whether a first line such as `ffmpeg version 4.4.2-0ubuntu0.22.04.1` is of an old release; snapshots (`N-1234-g..`) are new.
fn before_5_1(line: &str) -> bool {
    let Some(version) = line.split_whitespace().nth(2) else { return false };
    let mut numbers = version.trim_start_matches('n').split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (5, 1),
        (Some(Ok(major)), _) => major < 5,
        _ => false,
    }
}

/// The path as an argument that FFmpeg cannot take for an option or a protocol.
fn input(path: &Path) -> OsString {
    let mut argument = OsString::from("file:");
    argument.push(path);
    argument
}

/// What FFmpeg said, in one line: the first lines without the decoder's addresses.
fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = match (line.starts_with('['), line.find("] ")) {
            (true, Some(end)) => &line[end + 2..],
            _ => line,
        };
        if !line.trim().is_empty() && !lines.contains(&line.trim()) {
            lines.push(line.trim());
        }
    }
    lines.truncate(3);
    if lines.is_empty() { "ffmpeg gave no reason".into() } else { lines.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_told_apart() {
        assert!(before_5_1("ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright"));
        assert!(before_5_1("ffmpeg version n5.0 Copyright"));
        assert!(!before_5_1("ffmpeg version 5.1.9-0+deb12u1 Copyright"));
        assert!(!before_5_1("ffmpeg version n7.1 Copyright"));
        assert!(!before_5_1("ffmpeg version N-118193-g5f38c82536 Copyright"));
    }

    #[test]
    fn reasons_are_short_and_without_addresses() {
        let stderr = b"[NULL @ 0x55] Invalid NAL unit size\n[h264 @ 0x66] Invalid NAL unit size\nError while decoding\n";
        assert_eq!(reason(stderr), "Invalid NAL unit size; Error while decoding");
        assert_eq!(reason(b""), "ffmpeg gave no reason");
    }
}
