//! Consecutive windows of what a user names, for `tokenize` and `reconstruct`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ffmpeg::Tools;
use super::frame::{FrameRange, FrameStream};
use super::media::{ClipBuilder, Media};
use super::video::media_below;
use super::{DataError, Problems, Sample, resize_and_crop};
use crate::clip::ClipShape;

/// Which windows of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowPolicy {
    /// The first.
    #[default]
    First,
    /// One after the other to the end; the last repeats its last frame where the source ends within it.
    All,
}

/// Windows of a file, or of every video, GIF and folder of images below a folder, sorted. Frames are read as they are needed, so a
/// long video does not fill memory. Videos of up to two minutes are decoded to their end first: a damaged one gives no
/// window. In a folder it is recorded in [`Windows::problems`] and left out; a single file, or a folder where nothing decodes,
/// gives an error.
///
/// # Errors
/// When the path does not exist or holds nothing to read, or `stride` is 0.
pub fn windows(path: &Path, shape: ClipShape, policy: WindowPolicy, stride: usize) -> Result<Windows, DataError> {
    if stride == 0 || shape.bytes() == 0 {
        return Err(DataError::Setting { key: "frame_stride", reason: "stride and clip sides must be at least 1".into() });
    }
    let metadata = path.metadata().map_err(|source| DataError::io(path, source))?;
    let files = if metadata.is_dir() { media_below(path)? } else { vec![path.to_owned()] };
    if files.is_empty() {
        return Err(DataError::NoClips { path: path.to_owned() });
    }
    Ok(Windows {
        root: path.to_owned(),
        alone: files.len() == 1,
        files: files.into_iter().enumerate(),
        shape,
        policy,
        stride,
        tools: Tools::default(),
        problems: Problems::default(),
        open: None,
        given: 0,
        first: None,
    })
}

/// Iterator over windows; see [`windows`].
pub struct Windows {
    root: PathBuf,
    alone: bool,
    files: std::iter::Enumerate<std::vec::IntoIter<PathBuf>>,
    shape: ClipShape,
    policy: WindowPolicy,
    stride: usize,
    tools: Tools,
    problems: Problems,
    open: Option<Open>,
    given: usize,
    first: Option<DataError>,
}

/// The source that is being read.
struct Open {
    path: PathBuf,
    number: u64,
    frames: FrameStream,
    start: usize,
}

impl Windows {
    /// The files left out so far.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    fn open(&self, number: usize, path: PathBuf) -> Result<Open, DataError> {
        let media = Media::locate(&path)?;
        let info = media.inspect(&self.tools, true)?;
        let limit = (self.policy == WindowPolicy::First).then_some(self.shape.frames);
        let frames = media.frames(&self.tools, &info, FrameRange { start: 0, stride: self.stride, limit })?;
        Ok(Open { path, number: number as u64, frames, start: 0 })
    }

    /// The next window of the open source; `None` at its end.
    fn window(&mut self) -> Result<Option<Sample>, DataError> {
        let Some(open) = &mut self.open else { return Ok(None) };
        let mut builder = ClipBuilder::new(self.shape);
        while !builder.is_full() {
            let Some(frame) = open.frames.next() else { break };
            builder.push(&resize_and_crop(&frame?, self.shape.height, self.shape.width));
        }
        let Some((clip, real_frames)) = builder.finish() else { return Ok(None) };
        let below = open.path.strip_prefix(&self.root).ok().filter(|below| *below != Path::new(""));
        let name = below.or(open.path.file_name().map(Path::new)).unwrap_or(&open.path).display().to_string();
        let start_frame = open.start;
        open.start += self.shape.frames * self.stride;
        Ok(Some(Sample { clip, label: None, name, start_frame, real_frames, index: open.number }))
    }

    /// Leaves a source out, or ends with its error.
    fn leave_out(&mut self, error: DataError) -> Option<DataError> {
        self.open = None;
        match error.skippable() {
            Some((path, reason)) if !self.alone => {
                self.problems.record(path, &reason);
                self.first.get_or_insert(error);
                None
            }
            _ => {
                self.files.by_ref().for_each(drop);
                self.given += 1;
                Some(error)
            }
        }
    }
}

impl Iterator for Windows {
    type Item = Result<Sample, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let result = match &self.open {
                Some(_) => self.window(),
                None => {
                    let Some((number, path)) = self.files.next() else {
                        // nothing at all: the first problem is the error
                        let nothing = self.given == 0;
                        return if nothing { self.first.take().map(Err) } else { None };
                    };
                    match self.open(number, path) {
                        Ok(open) => {
                            self.open = Some(open);
                            continue;
                        }
                        Err(error) => Err(error),
                    }
                }
            };
            match result {
                Ok(Some(sample)) => {
                    self.given += 1;
                    return Some(Ok(sample));
                }
                Ok(None) => self.open = None,
                Err(error) => {
                    if let Some(error) = self.leave_out(error) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(folder: &Path, count: u8) {
        std::fs::create_dir_all(folder).unwrap();
        for value in 0..count {
            let image = image::RgbImage::from_pixel(8, 8, image::Rgb([value; 3]));
            image.save(folder.join(format!("{value:03}.png"))).unwrap();
        }
    }

    const SHAPE: ClipShape = ClipShape { frames: 4, height: 8, width: 8 };

    #[test]
    fn windows_follow_each_other_and_the_last_is_filled_up() {
        let root = tempfile::tempdir().unwrap();
        images(root.path(), 10);
        let all: Vec<_> = windows(root.path(), SHAPE, WindowPolicy::All, 1).unwrap().map(Result::unwrap).collect();
        let firsts: Vec<_> = all.iter().map(|s| (s.start_frame, s.real_frames, s.clip.frame(3)[0])).collect();
        assert_eq!(firsts, [(0, 4, 3), (4, 4, 7), (8, 2, 9)]);
        let first: Vec<_> = windows(root.path(), SHAPE, WindowPolicy::First, 2).unwrap().map(Result::unwrap).collect();
        assert_eq!((first.len(), first[0].clip.frame(3)[0]), (1, 6));
    }

    #[test]
    fn a_damaged_source_in_a_folder_is_left_out_and_alone_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        images(&root.path().join("b"), 4);
        let bad = root.path().join("a.gif");
        std::fs::write(&bad, b"GIF89a").unwrap();
        let mut both = windows(root.path(), SHAPE, WindowPolicy::All, 1).unwrap();
        assert_eq!(both.by_ref().map(|s| s.unwrap().name).collect::<Vec<_>>(), ["b"]);
        assert_eq!(both.problems().list()[0].path, bad);
        let alone: Vec<_> = windows(&bad, SHAPE, WindowPolicy::All, 1).unwrap().collect();
        assert!(alone.len() == 1 && alone[0].as_ref().unwrap_err().to_string().contains("a.gif"));
    }
}
