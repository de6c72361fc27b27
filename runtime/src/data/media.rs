//! One source of frames: a video, a GIF, or a folder of images.

use std::path::{Path, PathBuf};

use super::frame::{FrameRange, FrameStream};
use super::{DataError, ffmpeg, images, resize_and_crop};
use crate::clip::{Clip, ClipShape};

/// Videos up to this long are decoded once before their first use, so that damage and frame counts are known at once.
const VERIFY_UP_TO_SECONDS: f64 = 120.0;

/// Extensions of files that are looked for in folders. A file named on its own or in a CSV may have any.
const VIDEO_EXTENSIONS: [&str; 25] = [
    "mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "ts", "mts", "m2ts", "flv", "wmv", "asf", "ogv", "ogg", "3gp",
    "3g2", "y4m", "vob", "mxf", "h264", "hevc", "ivf", "apng",
];

/// What is known of a source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MediaInfo {
    /// Number of frames.
    pub frames: usize,
    /// Width in pixels, upright.
    pub width: usize,
    /// Height in pixels, upright.
    pub height: usize,
    /// Frames a second.
    pub fps: Option<f64>,
    /// Whether all frames are shown for the same time.
    pub constant_rate: bool,
    /// Seconds.
    pub duration: Option<f64>,
    /// Name of the codec, `gif`, or `images`.
    pub codec: String,
}

/// A source of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Media {
    /// Read by FFmpeg.
    Video(PathBuf),
    /// Read here.
    Gif(PathBuf),
    /// The images of a folder, or one image.
    Images { path: PathBuf, files: Vec<PathBuf> },
}

impl Media {
    /// Finds out what a path is; a folder must hold images.
    pub fn locate(path: &Path) -> Result<Self, DataError> {
        let metadata = path.metadata().map_err(|source| DataError::io(path, source))?;
        if metadata.is_dir() {
            let files = images::numbered(path)?;
            return match files.is_empty() {
                true => Err(DataError::NoClips { path: path.to_owned() }),
                false => Ok(Self::Images { path: path.to_owned(), files }),
            };
        }
        Ok(match extension(path).as_str() {
            "gif" => Self::Gif(path.to_owned()),
            e if images::EXTENSIONS.contains(&e) => Self::Images { path: path.to_owned(), files: vec![path.to_owned()] },
            _ => Self::Video(path.to_owned()),
        })
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Gif(path) | Self::Images { path, .. } => path,
        }
    }

    /// What is known of it. With `verify`, a video of up to two minutes is decoded to its end first (GIFs and images: always):
    /// damage anywhere is an error here, and the frame count is exact.
    pub fn inspect(&self, tools: &ffmpeg::Tools, verify: bool) -> Result<MediaInfo, DataError> {
        match self {
            Self::Gif(path) => images::inspect_gif(path),
            Self::Images { path, files } => images::inspect_folder(path, files),
            Self::Video(path) => {
                let ffmpeg = tools.ffmpeg(path)?;
                let mut info = ffmpeg::probe(ffmpeg, path)?;
                let short = info.duration.is_none_or(|seconds| seconds <= VERIFY_UP_TO_SECONDS);
                if verify && short {
                    info.frames = ffmpeg::count_frames(ffmpeg, path).map_err(|e| e.error)?;
                } else if info.frames == 0 {
                    info.frames = ffmpeg::count_packets(ffmpeg, path)?;
                }
                match info.frames {
                    0 => Err(DataError::decode(path, "it holds no frame")),
                    _ => Ok(info),
                }
            }
        }
    }

    /// Opens a stream of some of its frames.
    pub fn frames(&self, tools: &ffmpeg::Tools, info: &MediaInfo, range: FrameRange) -> Result<FrameStream, DataError> {
        Ok(match self {
            Self::Gif(path) => Box::new(images::gif_frames(path, range)?),
            Self::Images { files, .. } => Box::new(images::folder_frames(files.clone(), range)),
            Self::Video(path) => Box::new(ffmpeg::open_frames(tools.ffmpeg(path)?, path, info.fps, range)?),
        })
    }

    /// Whether any window holds the very frames of a reading from the start: it is not sought by time, or the rate is constant.
    pub fn windows_are_exact(&self, info: &MediaInfo) -> bool {
        !matches!(self, Self::Video(_)) || info.constant_rate || !ffmpeg::is_sought(info.fps, info.frames)
    }

    /// All frames, resized and cropped, one after the other, up to the number that the header promised.
    pub fn all_frames(&self, tools: &ffmpeg::Tools, info: &MediaInfo, shape: ClipShape) -> Result<Vec<u8>, DataError> {
        let mut pixels = Vec::with_capacity(info.frames * shape.height * shape.width * 3);
        for frame in self.frames(tools, info, FrameRange { start: 0, stride: 1, limit: Some(info.frames) })? {
            pixels.extend_from_slice(&resize_and_crop(&frame?, shape.height, shape.width));
        }
        Ok(pixels)
    }

    /// Reads one window. A source that ends before it repeats its last frame; the second value is how many frames are its own.
    pub fn clip(
        &self,
        tools: &ffmpeg::Tools,
        info: &MediaInfo,
        shape: ClipShape,
        start: usize,
        stride: usize,
    ) -> Result<(Clip, usize), DataError> {
        let available = info.frames.saturating_sub(start).div_ceil(stride).max(1);
        let mut range = FrameRange { start, stride, limit: Some(shape.frames.min(available)) };
        let mut builder = ClipBuilder::new(shape);
        for frame in self.frames(tools, info, range)? {
            builder.push(&resize_and_crop(&frame?, shape.height, shape.width));
        }
        if builder.frames() == 0 && start > 0 {
            // a header that promised too many frames, or a seek past the end: the beginning is there for sure
            range.start = 0;
            for frame in self.frames(tools, info, range)? {
                builder.push(&resize_and_crop(&frame?, shape.height, shape.width));
            }
        }
        builder.finish().ok_or_else(|| DataError::decode(self.path(), "it holds no frame"))
    }
}

/// Gathers resized frames into a clip.
pub(crate) struct ClipBuilder {
    shape: ClipShape,
    pixels: Vec<u8>,
}

impl ClipBuilder {
    /// Nothing yet.
    pub fn new(shape: ClipShape) -> Self {
        Self { shape, pixels: Vec::with_capacity(shape.bytes()) }
    }

    /// Frames so far.
    pub fn frames(&self) -> usize {
        self.pixels.len() / (self.shape.height * self.shape.width * 3)
    }

    /// Whether the clip is full.
    pub fn is_full(&self) -> bool {
        self.frames() >= self.shape.frames
    }

    /// Adds a frame of clip size; frames past the last are ignored.
    pub fn push(&mut self, frame: &[u8]) {
        if !self.is_full() {
            self.pixels.extend_from_slice(frame);
        }
    }

    /// The clip, with its last frame repeated to the end, and the number of frames before that; `None` when empty.
    pub fn finish(mut self) -> Option<(Clip, usize)> {
        let frames = self.frames();
        if frames == 0 {
            return None;
        }
        let size = self.shape.height * self.shape.width * 3;
        for _ in frames..self.shape.frames {
            self.pixels.extend_from_within((frames - 1) * size..frames * size);
        }
        Some((Clip::new(self.shape, self.pixels), frames))
    }
}

/// Whether a file in a folder is a video or a GIF, by its extension.
pub(crate) fn is_video_or_gif(path: &Path) -> bool {
    let extension = extension(path);
    extension == "gif" || VIDEO_EXTENSIONS.contains(&extension.as_str())
}

/// The extension in lower case, or nothing.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sources_repeat_their_last_frame() {
        let mut builder = ClipBuilder::new(ClipShape { frames: 4, height: 1, width: 1 });
        builder.push(&[1, 1, 1]);
        builder.push(&[2, 2, 2]);
        let (clip, own) = builder.finish().unwrap();
        assert_eq!(clip.pixels, [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(own, 2);
    }
}
