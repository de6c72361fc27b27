//! Frames from an `ffmpeg` process, through a pipe.
//!
//! The pipe carries raw RGB, each frame after a PPM header (`P6 width height 255`): the size that comes out is read there rather
//! than worked out from rotation flags. `-xerror` makes damage an error; without it ffmpeg fills gaps with grey or repeated frames.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use super::{Ffmpeg, input, reason};
use crate::data::frame::{FrameRange, MAX_PIXELS};
use crate::data::{DataError, Frame};

/// From this second on a window is sought rather than decoded up to.
const SEEK_FROM_SECONDS: f64 = 10.0;

/// So much of what ffmpeg says is kept.
const STDERR_LIMIT: u64 = 16 * 1024;

/// Decodes a whole file without keeping a frame, and returns how many there are.
pub(crate) fn count_frames(ffmpeg: &Ffmpeg, path: &Path) -> Result<usize, CountError> {
    let mut command = decoder(path, None);
    // one line a frame; lines that begin with # are a header
    command.args(ffmpeg.passthrough).args(["-f", "framecrc", "pipe:1"]);
    let mut process = Process::start(command, path).map_err(|error| CountError { frames: 0, error })?;
    let mut frames = 0;
    while process.line().is_some_and(|line| !line.is_empty()) {
        frames += usize::from(!process.line.starts_with('#'));
    }
    process.finish().map_err(|error| CountError { frames, error })?;
    match frames {
        0 => Err(CountError { frames, error: DataError::decode(path, "it holds no frame") }),
        _ => Ok(frames),
    }
}

/// Why a file could not be decoded to its end.
#[derive(Debug)]
pub(crate) struct CountError {
    /// Frames that came before.
    pub frames: usize,
    /// The error.
    pub error: DataError,
}

/// Whether a window that begins at this frame is sought by time.
pub(crate) fn is_sought(fps: Option<f64>, start: usize) -> bool {
    seek(fps, start).is_some()
}

/// Where to seek, in seconds: the middle between a frame and the one before.
fn seek(fps: Option<f64>, start: usize) -> Option<f64> {
    fps.map(|fps| (start as f64 - 0.5) / fps).filter(|seconds| *seconds >= SEEK_FROM_SECONDS)
}

/// Opens a stream of frames. With a frame rate, a window that begins late is sought by time: exact for a constant rate.
pub(crate) fn open_frames(ffmpeg: &Ffmpeg, path: &Path, fps: Option<f64>, range: FrameRange) -> Result<Frames, DataError> {
    let seconds = seek(fps, range.start);
    let first = if seconds.is_some() { 0 } else { range.start };
    let mut command = decoder(path, seconds);
    // frames are dropped before they are converted; the flags make the conversion the same on every processor
    let filter = format!(
        "select=gte(n\\,{first})*not(mod(n-{first}\\,{})),\
         scale=flags=bicubic+accurate_rnd+full_chroma_int+bitexact,format=rgb24",
        range.stride
    );
    command.args(ffmpeg.passthrough).args(["-vf", &filter]);
    if let Some(limit) = range.limit {
        command.args(["-frames:v", &limit.to_string()]);
    }
    command.args(["-f", "image2pipe", "-c:v", "ppm", "pipe:1"]);
    Ok(Frames { process: Some(Process::start(command, path)?), left: range.limit.unwrap_or(usize::MAX) })
}

/// `ffmpeg` up to its output options. One thread: the loader runs several processes, and the order of errors stays fixed.
fn decoder(path: &Path, seek: Option<f64>) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-xerror", "-protocol_whitelist", "file,pipe", "-threads", "1"]);
    if let Some(seconds) = seek {
        command.args(["-ss", &format!("{seconds:.6}")]);
    }
    command.arg("-i").arg(input(path)).args(["-map", "0:V:0"]);
    command
}

/// Frames of one process; it is killed when this is dropped.
pub(crate) struct Frames {
    process: Option<Process>,
    left: usize,
}

impl Iterator for Frames {
    type Item = Result<Frame, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            self.process = None;
            return None;
        }
        match self.process.as_mut()?.frame() {
            Ok(Some(frame)) => {
                self.left -= 1;
                Some(Ok(frame))
            }
            Ok(None) => self.process.take()?.finish().err().map(Err),
            Err(error) => {
                // what ffmpeg itself says is the better reason
                let said = self.process.take()?.finish().err();
                Some(Err(said.unwrap_or(error)))
            }
        }
    }
}

struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    path: PathBuf,
    line: String,
}

impl Process {
    fn start(mut command: Command, path: &Path) -> Result<Self, DataError> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| DataError::io(Path::new("ffmpeg"), source))?;
        let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(DataError::Worker { reason: "ffmpeg started without pipes".into() });
        };
        // read to the end beside the frames, or a talkative ffmpeg would block on a full pipe
        let stderr = std::thread::spawn(move || {
            let mut kept = Vec::new();
            let _ = (&mut stderr).take(STDERR_LIMIT).read_to_end(&mut kept);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            kept
        });
        let output = BufReader::with_capacity(1 << 16, stdout);
        Ok(Self { child, output, stderr: Some(stderr), path: path.to_owned(), line: String::new() })
    }

    /// The next line of the output without its end; `None` or empty at the end.
    fn line(&mut self) -> Option<&str> {
        self.line.clear();
        // a header line is short; the limit keeps garbage from filling memory
        self.output.by_ref().take(4096).read_line(&mut self.line).ok()?;
        Some(self.line.trim_end())
    }

    fn frame(&mut self) -> Result<Option<Frame>, DataError> {
        match self.line() {
            Some("") => return Ok(None),
            Some("P6") => {}
            _ => return Err(DataError::decode(&self.path, "ffmpeg's output is not what was asked for")),
        }
        let size = self.line().unwrap_or_default().to_owned();
        let depth = self.line().unwrap_or_default().to_owned();
        let sides = size.split_once(' ').map(|(width, height)| (width.parse(), height.parse()));
        let Some((Ok(width), Ok(height))) = sides else {
            return Err(DataError::decode(&self.path, format!("ffmpeg gave a frame of size `{size}`")));
        };
        let (width, height): (usize, usize) = (width, height);
        let fits = width.checked_mul(height).is_some_and(|pixels| (1..=MAX_PIXELS).contains(&pixels));
        if !fits || depth != "255" {
            return Err(DataError::decode(&self.path, format!("a frame of {width}x{height} is not supported")));
        }
        let mut pixels = vec![0; width * height * 3];
        let read = self.output.read_exact(&mut pixels);
        read.map_err(|_| DataError::decode(&self.path, "the last frame is cut short"))?;
        Ok(Some(Frame { width, height, pixels }))
    }

    /// Waits for the end; an exit code other than 0 is an error with what was said.
    fn finish(mut self) -> Result<(), DataError> {
        // nothing may be left in the pipe, or a process that still writes would never end
        let _ = std::io::copy(&mut self.output, &mut std::io::sink());
        let status = self.child.wait().map_err(|source| DataError::io(&self.path, source))?;
        let said = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if status.success() { Ok(()) } else { Err(DataError::decode(&self.path, reason(&said))) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // kill fails where the process has ended, and wait then only collects it
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(thread) = self.stderr.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ffmpeg::Tools;

    /// A video of 30 frames at 10 a second, made by the ffmpeg that the other tests read it with.
    fn video(path: &Path, codec: &str) {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10"]);
        command.args(["-frames:v", "30", "-c:v", codec]).arg(input(path));
        assert!(command.status().unwrap().success());
    }

    fn frames(tools: &Tools, path: &Path, range: FrameRange) -> Vec<Frame> {
        let ffmpeg = tools.ffmpeg(path).unwrap();
        open_frames(ffmpeg, path, Some(10.0), range).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_range_is_the_frames_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("-odd %d:'name.avi");
        video(&path, "ffv1");
        let tools = Tools::default();
        let all = frames(&tools, &path, FrameRange { start: 0, stride: 1, limit: None });
        assert_eq!(all.len(), 30);
        assert_eq!((all[0].width, all[0].height), (64, 48));
        let some = frames(&tools, &path, FrameRange { start: 4, stride: 3, limit: Some(5) });
        assert_eq!(some, [4, 7, 10, 13, 16].map(|i| all[i].clone()));
        assert_eq!(count_frames(tools.ffmpeg(&path).unwrap(), &path).unwrap(), 30);
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.mp4");
        video(&path, "mpeg4");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let tools = Tools::default();
        let error = count_frames(tools.ffmpeg(&path).unwrap(), &path).unwrap_err();
        assert!(error.error.to_string().contains("cut.mp4"), "{}", error.error);
    }

    #[test]
    fn dropping_a_stream_ends_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.avi");
        video(&path, "ffv1");
        let tools = Tools::default();
        let range = FrameRange { start: 0, stride: 1, limit: None };
        let mut stream = open_frames(tools.ffmpeg(&path).unwrap(), &path, None, range).unwrap();
        assert!(stream.next().unwrap().is_ok());
        // drop kills and waits, so a process that went on would hang the test
        drop(stream);
    }
}
