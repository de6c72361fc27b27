//! A look at every file, for `larp-cli data check`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ffmpeg::{self, Tools};
use super::media::{Media, MediaInfo};
use super::pool::Pool;
use super::{DataError, video};

/// What was found in a folder, a CSV or a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// What was looked at.
    pub path: PathBuf,
    /// Class names, where there are labels.
    pub classes: Vec<String>,
    /// One entry a file, sorted.
    pub files: Vec<FileCheck>,
}

impl CheckReport {
    /// Number of files with a problem.
    pub fn problems(&self) -> usize {
        self.files.iter().filter(|file| file.problem.is_some()).count()
    }
}

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileCheck {
    /// Path below the folder, or as the CSV has it.
    pub path: String,
    /// Name of its class.
    pub class: Option<String>,
    /// Frames that were decoded.
    pub frames: usize,
    /// Width in pixels, upright.
    pub width: usize,
    /// Height in pixels, upright.
    pub height: usize,
    /// Frames a second.
    pub fps: Option<f64>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Name of the codec, `gif`, or `images`.
    pub codec: String,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// Decodes every file to its end on `workers` threads.
///
/// # Errors
/// When the path does not exist or holds nothing to read, or FFmpeg is needed and missing. A damaged file is no error but an entry.
pub fn check(path: &Path, workers: usize) -> Result<CheckReport, DataError> {
    let listed = video::listing(path)?;
    let tools = Tools::default();
    let mut pool = Pool::new(workers, move |path: PathBuf| look(&tools, &path))?;
    listed.files.iter().for_each(|file| pool.push(file.path.clone()));
    let mut files = Vec::with_capacity(listed.files.len());
    for file in listed.files {
        let Some(result) = pool.pop() else { break };
        let (info, problem) = result??;
        let MediaInfo { frames, width, height, fps, duration, codec, .. } = info;
        files.push(FileCheck { path: file.relative, class: file.class, frames, width, height, fps, duration, codec, problem });
    }
    Ok(CheckReport { path: path.to_owned(), classes: listed.classes, files })
}

/// What is known of a file, and its problem; only an error that is not the file's ends the check.
fn look(tools: &Tools, path: &Path) -> Result<(MediaInfo, Option<String>), DataError> {
    let mut info =
        MediaInfo { frames: 0, width: 0, height: 0, fps: None, constant_rate: true, duration: None, codec: "unknown".into() };
    let found = look_into(tools, path, &mut info);
    match found {
        Ok(()) => Ok((info, None)),
        Err(error) => match error.skippable() {
            Some((_, reason)) => Ok((info, Some(reason))),
            None => Err(error),
        },
    }
}

fn look_into(tools: &Tools, path: &Path, info: &mut MediaInfo) -> Result<(), DataError> {
    let media = Media::locate(path)?;
    let Media::Video(path) = &media else {
        *info = media.inspect(tools, true)?;
        return Ok(());
    };
    let ffmpeg = tools.ffmpeg(path)?;
    *info = ffmpeg::probe(ffmpeg, path)?;
    match ffmpeg::count_frames(ffmpeg, path) {
        Ok(frames) => {
            info.frames = frames;
            Ok(())
        }
        Err(ffmpeg::CountError { frames, error }) => {
            info.frames = frames;
            Err(error)
        }
    }
}
