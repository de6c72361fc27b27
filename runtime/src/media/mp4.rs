//! Clips as H.264 mp4, through the program `ffmpeg`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::atomic::write_atomically;
use super::error::MediaError;
use crate::clip::Clip;

/// How to get ffmpeg, for messages.
pub const FFMPEG_HINT: &str = "install it with `apt-get install ffmpeg` or `brew install ffmpeg`, or from ffmpeg.org";

/// How an mp4 is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mp4Options {
    /// Frames shown each second.
    pub frames_per_second: f64,
    /// Every pixel becomes a square of this many pixels a side.
    pub scale: usize,
    /// How often the clip is played in the file; clips are short and players stop at the end.
    pub plays: usize,
}

impl Default for Mp4Options {
    fn default() -> Self {
        Self { frames_per_second: 8.0, scale: 1, plays: 1 }
    }
}

/// Whether the program `ffmpeg` can be started.
pub fn ffmpeg_available() -> bool {
    Command::new("ffmpeg").arg("-version").stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// Writes `clip` as H.264 with 4:2:0 colour, which every player shows; odd sizes gain a black line.
///
/// # Errors
/// When the clip is empty, `ffmpeg` is not installed or fails, or the file cannot be written.
pub fn write_mp4(path: &Path, clip: &Clip, options: Mp4Options) -> Result<(), MediaError> {
    write_with("ffmpeg", path, clip, options)
}

fn write_with(program: &str, path: &Path, clip: &Clip, options: Mp4Options) -> Result<(), MediaError> {
    let scale = options.scale.max(1);
    if clip.pixels.is_empty() {
        return Err(MediaError::UnsupportedSize { path: path.to_owned(), shape: clip.shape, scale });
    }
    let frames_per_second = options.frames_per_second;
    if !(frames_per_second.is_finite() && frames_per_second > 0.0) {
        return Err(MediaError::FrameRate { path: path.to_owned(), frames_per_second });
    }
    write_atomically(path, |tmp| {
        let mut command = command(program, tmp, clip, options);
        let output = feed(&mut command, &clip.pixels, options.plays.max(1))
            .map_err(|source| MediaError::FfmpegMissing { path: path.to_owned(), source })?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(MediaError::FfmpegFailed { path: path.to_owned(), status: output.status, stderr })
    })
}

fn command(program: &str, target: &Path, clip: &Clip, options: Mp4Options) -> Command {
    let scale = options.scale.max(1);
    let size = format!("{}x{}", clip.shape.width, clip.shape.height);
    let rate = options.frames_per_second.to_string();
    let filter = format!("scale=iw*{scale}:ih*{scale}:flags=neighbor,pad=ceil(iw/2)*2:ceil(ih/2)*2");
    // the prefix keeps names with `:` or a leading `-` from being read as protocols or options
    let mut file = OsString::from("file:");
    file.push(target);
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-loglevel", "error", "-y"]);
    command.args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-r", &rate, "-i", "pipe:0"]);
    command.args(["-vf", &filter, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18"]);
    command.args(["-movflags", "+faststart", "-f", "mp4"]).arg(file);
    command
}

/// Runs the program with the clip on its input.
fn feed(command: &mut Command, pixels: &[u8], plays: usize) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let input = child.stdin.take();
    // a thread of its own, or a full error pipe and a full input pipe would wait for each other
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let Some(mut input) = input else { return };
            for _ in 0..plays {
                // a broken pipe means that the program gave up: its exit status and words tell more
                if input.write_all(pixels).is_err() {
                    return;
                }
            }
        });
        child.wait_with_output()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::ClipShape;

    fn clip() -> Clip {
        let shape = ClipShape { frames: 4, height: 33, width: 35 };
        Clip::new(shape, (0..shape.bytes()).map(|index| (index % 251) as u8).collect())
    }

    #[test]
    fn a_missing_ffmpeg_says_how_to_install_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        let error = write_with("no-such-program", &path, &clip(), Mp4Options::default()).unwrap_err();
        assert!(matches!(error, MediaError::FfmpegMissing { .. }));
        assert!(error.to_string().contains("apt-get install ffmpeg"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn odd_sizes_are_padded() {
        if !ffmpeg_available() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a: clip.mp4");
        write_mp4(&path, &clip(), Mp4Options { plays: 2, ..Mp4Options::default() }).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[4..8], b"ftyp");
        let probe = Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-of", "csv=p=0"])
            .args(["-show_entries", "stream=codec_name,width,height,pix_fmt,nb_read_frames", "-i"])
            .arg(format!("file:{}", path.display()))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&probe.stdout).trim(), "h264,36,34,yuv420p,8");
    }

    #[test]
    fn a_failing_ffmpeg_is_quoted() {
        if !ffmpeg_available() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        let options = Mp4Options { frames_per_second: 1e300, ..Mp4Options::default() };
        let error = write_mp4(&path, &clip(), options).unwrap_err();
        assert!(matches!(&error, MediaError::FfmpegFailed { stderr, .. } if !stderr.is_empty()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
