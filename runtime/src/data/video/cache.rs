//! Decoded files in memory.
//!
//! A window costs an `ffmpeg` process that decodes up to it; of a file that is kept, it costs a copy. What is kept stays: windows are
//! drawn in a random order that an eviction could not foresee, so a file that did not find room is decoded a window at a time, as
//! without a cache. Both ways give the same pixels, so numbers do not depend on which files were first.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clip::{Clip, ClipShape};
use crate::data::DataError;
use crate::data::ffmpeg::Tools;
use crate::data::media::{ClipBuilder, Media, MediaInfo};

/// All frames of some files, resized and cropped to the clip.
pub(super) struct FrameCache {
    shape: ClipShape,
    files: Vec<OnceLock<Option<Vec<u8>>>>,
    /// Bytes that are not taken yet.
    room: AtomicUsize,
}

impl FrameCache {
    /// An empty one for that many files and bytes.
    pub fn new(files: usize, shape: ClipShape, bytes: usize) -> Self {
        Self { shape, files: (0..files).map(|_| OnceLock::new()).collect(), room: AtomicUsize::new(bytes) }
    }

    /// One window as [`Media::clip`] reads it: from memory, or, where the file is not kept, from the file.
    pub fn clip(
        &self,
        file: usize,
        (media, info): &(Media, MediaInfo),
        tools: &Tools,
        start: usize,
        stride: usize,
    ) -> Result<(Clip, usize), DataError> {
        // who comes second waits for the first rather than decode the file again
        let kept = self.files[file].get_or_init(|| self.decode(media, info, tools));
        match kept.as_deref().and_then(|frames| self.cut(frames, start, stride)) {
            Some(window) => Ok(window),
            None => media.clip(tools, info, self.shape, start, stride),
        }
    }

    fn frame_bytes(&self) -> usize {
        self.shape.height * self.shape.width * 3
    }

    fn decode(&self, media: &Media, info: &MediaInfo, tools: &Tools) -> Option<Vec<u8>> {
        let bytes = info.frames.checked_mul(self.frame_bytes())?;
        if !media.windows_are_exact(info) || !self.take(bytes) {
            return None;
        }
        // damage that only some windows meet leaves the others usable
        let frames = media.all_frames(tools, info, self.shape).ok();
        if frames.is_none() {
            self.room.fetch_add(bytes, Ordering::Relaxed);
        }
        frames
    }

    fn take(&self, bytes: usize) -> bool {
        self.room.try_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(bytes)).is_ok()
    }

    fn cut(&self, frames: &[u8], start: usize, stride: usize) -> Option<(Clip, usize)> {
        let count = frames.len() / self.frame_bytes();
        // as `Media::clip`: where a header promised more, the beginning is there for sure
        let start = if start < count { start } else { 0 };
        let mut builder = ClipBuilder::new(self.shape);
        let window = frames.chunks_exact(self.frame_bytes()).skip(start).step_by(stride);
        window.take(self.shape.frames).for_each(|frame| builder.push(frame));
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    const SHAPE: ClipShape = ClipShape { frames: 4, height: 8, width: 8 };
    const FRAMES: usize = 140;

    /// 14 seconds: later windows are sought, between key frames that are not all there is.
    fn video(path: &Path) -> (Media, MediaInfo) {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10"]);
        command.args(["-frames:v", &FRAMES.to_string(), "-c:v", "mpeg4", "-g", "24"]).arg(path);
        assert!(command.status().unwrap().success());
        let media = Media::locate(path).unwrap();
        let info = media.inspect(&Tools::default(), true).unwrap();
        (media, info)
    }

    #[test]
    fn windows_from_memory_are_those_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (tools, source) = (Tools::default(), video(&folder.path().join("a.mp4")));
        let bytes = FRAMES * SHAPE.height * SHAPE.width * 3;
        for (room, kept) in [(bytes, true), (bytes - 1, false)] {
            let cache = FrameCache::new(1, SHAPE, room);
            for (start, stride) in [(0, 1), (57, 2), (103, 1), (121, 3), (136, 1), (138, 1)] {
                let expected = source.0.clip(&tools, &source.1, SHAPE, start, stride).unwrap();
                assert_eq!(cache.clip(0, &source, &tools, start, stride).unwrap(), expected, "frame {start}, stride {stride}");
            }
            assert_eq!(cache.files[0].get().unwrap().is_some(), kept);
            assert_eq!(cache.room.load(Ordering::Relaxed), if kept { 0 } else { room });
        }
    }

    #[test]
    fn windows_that_seeking_might_shift_are_read_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (media, info) = video(&folder.path().join("a.mp4"));
        assert!(media.windows_are_exact(&info));
        let uneven = MediaInfo { constant_rate: false, ..info };
        assert!(!media.windows_are_exact(&uneven));
        assert!(media.windows_are_exact(&MediaInfo { frames: 100, ..uneven }));
    }
}
