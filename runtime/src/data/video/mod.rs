//! Clips from files: a folder, a CSV, or one file.
//!
//! - A folder: each folder in it is a class (sorted by name) of the videos, GIFs and folders of images anywhere below; what lies
//!   loose beside has no label. A folder of numbered images is one clip. Where every folder in it is called `train`, `val` or
//!   `validation`, `test`, and `train` is among them, those are the splits and the classes lie within.
//! - A CSV: `path[,label[,split]]`, with or without a header; relative paths count from the CSV.
//! - Splits that are not given are drawn by a hash of the relative path: see [`split`].

mod cache;
mod csv;
mod folder;
mod item;
mod split;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use cache::FrameCache;
pub(crate) use folder::media_below;
use item::Item;
pub(crate) use item::{hexadecimal, listing};

use super::ffmpeg::Tools;
use super::media::{Media, MediaInfo};
use super::random::{Purpose, below, generator};
use super::{DataError, Dataset, Problems, Sample, Split, Window};
use crate::clip::{Clip, ClipShape};

/// With so few files, each is decoded when the data set is opened, so that every split gets files that work.
const CHECK_ALL_UP_TO: usize = 32;

/// Settings of `video`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoSettings {
    /// A folder, a CSV of `path,label`, or one file.
    pub path: PathBuf,
    /// Part of the files held out for validation, where the splits are not given.
    #[serde(default = "tenth")]
    pub validation_fraction: f64,
    /// Part of the files held out for testing, where the splits are not given.
    #[serde(default = "tenth")]
    pub test_fraction: f64,
    /// Distance of the frames of a clip in their source.
    #[serde(default = "one")]
    pub frame_stride: usize,
    /// Flips half of the training clips left to right. Turn it off where left and right are different classes.
    #[serde(default = "yes")]
    pub horizontal_flip: bool,
    /// Decodes each file of up to two minutes to its end before its first use: a damaged file is left out from the start, not only
    /// where a window meets the damage, and frame counts are exact. Costs one more decoding a file and run.
    #[serde(default = "yes")]
    pub verify: bool,
    /// Memory for decoded files, in MiB: a file that finds room is decoded once, and each window of it is a copy; the others are decoded
    /// a window at a time. Numbers do not depend on it. A frame of 128 x 128 takes 48 KiB; 0 keeps nothing.
    #[serde(default = "gibibyte")]
    pub cache_mb: usize,
}

fn tenth() -> f64 {
    0.1
}

fn one() -> usize {
    1
}

fn gibibyte() -> usize {
    1024
}

fn yes() -> bool {
    true
}

impl VideoSettings {
    /// The defaults for a path.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            validation_fraction: tenth(),
            test_fraction: tenth(),
            frame_stride: one(),
            horizontal_flip: yes(),
            verify: yes(),
            cache_mb: gibibyte(),
        }
    }

    fn check(&self) -> Result<(), DataError> {
        if self.frame_stride == 0 {
            return Err(DataError::Setting { key: "frame_stride", reason: "it must be at least 1".into() });
        }
        for (key, value) in [("validation_fraction", self.validation_fraction), ("test_fraction", self.test_fraction)] {
            if !(0.0..=0.5).contains(&value) {
                return Err(DataError::Setting { key, reason: format!("{value} is not between 0 and 0.5") });
            }
        }
        Ok(())
    }
}

type Source = Result<(Media, MediaInfo), String>;

/// The `video` data set.
pub struct VideoFolder {
    settings: VideoSettings,
    shape: ClipShape,
    classes: Vec<String>,
    items: Vec<Item>,
    /// What each item turned out to be, filled at its first use.
    sources: Vec<OnceLock<Source>>,
    splits: split::Splits,
    cache: FrameCache,
    tools: Tools,
    problems: Problems,
}

impl VideoFolder {
    /// Lists the files; with at most 32 it decodes each once.
    ///
    /// # Errors
    /// When settings cannot work, nothing is found, FFmpeg is needed and missing, or every file of a small data set is damaged.
    pub fn open(settings: VideoSettings, shape: ClipShape) -> Result<Self, DataError> {
        settings.check()?;
        let (items, classes) = item::list(&settings.path)?;
        let sources = items.iter().map(|_| OnceLock::new()).collect();
        let (splits, cache) =
            (split::Splits::default(), FrameCache::new(items.len(), shape, settings.cache_mb.saturating_mul(1 << 20)));
        let (tools, problems) = (Tools::default(), Problems::default());
        let mut set = Self { settings, shape, classes, items, sources, splits, cache, tools, problems };
        if let Some(item) = set.items.iter().find(|item| item.needs_ffmpeg()) {
            set.tools.ffmpeg(&item.path)?;
        }
        let mut usable: Vec<usize> = (0..set.items.len()).collect();
        if usable.len() <= CHECK_ALL_UP_TO {
            usable = set.usable()?;
        }
        let fractions = (set.settings.validation_fraction, set.settings.test_fraction);
        set.splits = split::assign(&set.items, &usable, fractions, &set.settings.path)?;
        Ok(set)
    }

    /// Whether the file with this path below the root is in a split.
    pub(crate) fn holds(&self, split: Split, relative: &str) -> bool {
        self.splits.of(split).iter().any(|&item| self.items[item].relative == relative)
    }

    fn usable(&self) -> Result<Vec<usize>, DataError> {
        let mut usable = Vec::new();
        let mut first = None;
        for index in 0..self.items.len() {
            match self.source(index) {
                Ok(_) => usable.push(index),
                Err(error) => {
                    let Some((path, reason)) = error.skippable() else { return Err(error) };
                    self.problems.record(path, &reason);
                    first.get_or_insert_with(|| error.to_string());
                }
            }
        }
        match usable.is_empty() {
            true => {
                let first = first.unwrap_or_default();
                Err(DataError::NothingDecodes { split: Split::Train, tried: self.items.len(), first })
            }
            false => Ok(usable),
        }
    }

    fn source(&self, index: usize) -> Result<&(Media, MediaInfo), DataError> {
        let path = &self.items[index].path;
        let source = self.sources[index].get_or_init(|| {
            let media = Media::locate(path);
            let found = media.and_then(|media| Ok((media.inspect(&self.tools, self.settings.verify)?, media)));
            // errors that end a run were met when the data set was opened
            let found = found.map(|(info, media)| (media, info));
            found.map_err(|error| error.skippable().map_or_else(|| error.to_string(), |(_, reason)| reason))
        });
        source.as_ref().map_err(|reason| DataError::decode(path, reason.clone()))
    }
}

impl Dataset for VideoFolder {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        self.splits.of(split).len()
    }

    fn sample(&self, split: Split, index: usize, window: Window) -> Result<Sample, DataError> {
        let number = self.splits.of(split)[index];
        let item = &self.items[number];
        let source = self.source(number)?;
        let stride = self.settings.frame_stride;
        let span = (self.shape.frames - 1) * stride + 1;
        let room = source.1.frames.saturating_sub(span);
        let (start, flip) = match window {
            Window::Fixed => (room / 2, false),
            Window::Random { seed, epoch } => {
                let mut rng = generator(seed, Purpose::Window, &[epoch, number as u64]);
                let start = below(&mut rng, room + 1);
                (start, below(&mut rng, 2) == 1 && self.settings.horizontal_flip)
            }
        };
        let (mut clip, real_frames) = self.cache.clip(number, source, &self.tools, start, stride)?;
        if flip {
            flip_horizontally(&mut clip);
        }
        let name = item.relative.clone();
        Ok(Sample { clip, label: item.label, name, start_frame: start, real_frames, index: number as u64 })
    }

    fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        // the path is left out: a data set that was moved is the same
        let VideoSettings { validation_fraction, test_fraction, frame_stride, horizontal_flip, verify, .. } = &self.settings;
        hasher.update(format!("video 1 {validation_fraction} {test_fraction} {frame_stride} {horizontal_flip} {verify}\n"));
        for item in &self.items {
            let (size, time) = item.size_and_time();
            hasher.update(format!("{}\t{:?}\t{:?}\t{size}\t{time}\n", item.relative, item.label, item.split));
        }
        hexadecimal(&hasher.finalize())
    }

    fn problems(&self) -> &Problems {
        &self.problems
    }

    fn name(&self) -> String {
        self.settings.path.display().to_string()
    }
}

fn flip_horizontally(clip: &mut Clip) {
    for row in clip.pixels.chunks_exact_mut(clip.shape.width * 3) {
        for x in 0..clip.shape.width / 2 {
            let mirror = clip.shape.width - 1 - x;
            for channel in 0..3 {
                row.swap(x * 3 + channel, mirror * 3 + channel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{Loader, LoaderSettings, fixed};

    /// Folders of images that need no FFmpeg: `count` clips of 10 frames, two classes, and a damaged one.
    fn clips(count: usize) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for clip in 0..count {
            let folder = root.path().join(["run", "jump"][clip % 2]).join(clip.to_string());
            std::fs::create_dir_all(&folder).unwrap();
            for frame in 0..10 {
                let image = image::RgbImage::from_fn(12, 8, |x, _| image::Rgb([frame * 10, x as u8 * 20, clip as u8]));
                image.save(folder.join(format!("{frame}.png"))).unwrap();
            }
        }
        std::fs::write(root.path().join("run/bad.gif"), b"GIF89a").unwrap();
        root
    }

    const SHAPE: ClipShape = ClipShape { frames: 4, height: 8, width: 8 };

    fn open(root: &Path) -> Arc<VideoFolder> {
        Arc::new(VideoFolder::open(VideoSettings::new(root), SHAPE).unwrap())
    }

    #[test]
    fn a_damaged_file_is_listed_and_in_no_split() {
        let root = clips(8);
        let set = open(root.path());
        assert_eq!(set.classes(), ["jump", "run"]);
        assert_eq!(Split::ALL.map(|split| set.len(split)).iter().sum::<usize>(), 8);
        assert!(set.problems().list()[0].path.ends_with("run/bad.gif"));
    }

    #[test]
    fn evaluation_windows_are_the_middle_and_never_flipped() {
        let root = clips(8);
        for sample in fixed(open(root.path()), Split::Train, 100, 2).unwrap() {
            let sample = sample.unwrap();
            assert_eq!((sample.start_frame, sample.clip.frame(0)[0]), (3, 30));
            assert!(sample.clip.frame(0)[1] < sample.clip.frame(0)[22]);
        }
    }

    #[test]
    fn training_windows_vary_and_do_not_depend_on_the_workers() {
        let root = clips(8);
        let batches = |workers| -> Vec<_> {
            let settings = LoaderSettings { workers, ..LoaderSettings::new(Split::Train, 4, 5) };
            Loader::new(open(root.path()), settings).unwrap().take(8).map(Result::unwrap).collect()
        };
        let one = batches(1);
        assert_eq!(one, batches(4));
        let samples: Vec<&Sample> = one.iter().flat_map(|batch| &batch.samples).collect();
        assert!(samples.iter().any(|s| s.start_frame == 0) && samples.iter().any(|s| s.start_frame == 6));
        let flipped = samples.iter().filter(|s| s.clip.frame(0)[1] > s.clip.frame(0)[22]).count();
        assert!((4..28).contains(&flipped), "{flipped} of 32 flipped");
    }

    #[test]
    fn the_cache_changes_no_sample() {
        let root = clips(8);
        let batches = |cache_mb, workers| -> Vec<_> {
            let settings = VideoSettings { cache_mb, frame_stride: 2, ..VideoSettings::new(root.path()) };
            let set = Arc::new(VideoFolder::open(settings, SHAPE).unwrap());
            let settings = LoaderSettings { workers, ..LoaderSettings::new(Split::Train, 4, 5) };
            Loader::new(set, settings).unwrap().take(8).map(Result::unwrap).collect()
        };
        assert_eq!(batches(0, 1), batches(1024, 3));
    }

    #[test]
    fn a_data_set_where_nothing_decodes_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.gif"), b"GIF89a").unwrap();
        let error = VideoFolder::open(VideoSettings::new(root.path()), SHAPE).err().unwrap();
        assert!(error.to_string().contains("a.gif"), "{error}");
    }

    #[test]
    fn the_fingerprint_changes_with_the_files() {
        let root = clips(3);
        let before = open(root.path()).fingerprint();
        assert_eq!(before, open(root.path()).fingerprint());
        std::fs::remove_file(root.path().join("run/bad.gif")).unwrap();
        assert_ne!(before, open(root.path()).fingerprint());
    }
}
