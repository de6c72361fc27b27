//! Labelled motions of shapes, drawn from (seed, index): no file, no download.
//!
//! Clip `i` of a split shows motion `i % 12` (the order of [`Motion::ALL`]); everything else is drawn from the hash of
//! (seed, number of the clip). Numbers of the splits never meet: training begins at 0, validation at 2^40, test at 2^41. A
//! motion spans the clip however many frames that has, so windows are always whole and clips are never flipped.

mod motion;
mod scene;
mod shape;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use motion::Motion;

use super::random::{Purpose, generator};
use super::{DataError, Dataset, Problems, Sample, Split, Window};
use crate::clip::{Clip, ClipShape};

/// Changes when the same seed no longer draws the same clips.
const VERSION: u32 = 1;

/// Settings of `procedural`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProceduralSettings {
    /// Clips of the training split.
    pub train_clips: usize,
    /// Clips of the validation split.
    pub validation_clips: usize,
    /// Clips of the test split.
    pub test_clips: usize,
    /// Seed of the clips; apart from the run's seed, so that runs are compared on the same clips.
    pub seed: u64,
}

impl Default for ProceduralSettings {
    fn default() -> Self {
        Self { train_clips: 100_000, validation_clips: 1_000, test_clips: 10_000, seed: 0 }
    }
}

/// The procedural data set.
#[derive(Debug)]
pub struct Procedural {
    settings: ProceduralSettings,
    shape: ClipShape,
    classes: Vec<String>,
    problems: Problems,
}

impl Procedural {
    /// Clips of one shape.
    ///
    /// # Errors
    /// When the clip is too small to show a motion, or a split would be larger than 2^40 clips.
    pub fn new(settings: ProceduralSettings, shape: ClipShape) -> Result<Self, DataError> {
        if shape.frames < 2 || shape.height.min(shape.width) < 8 {
            let reason = format!("{shape:?} is too small to show a motion; use at least 2 frames of 8x8, better 8 of 32x32");
            return Err(DataError::Setting { key: "clip", reason });
        }
        let largest = settings.train_clips.max(settings.validation_clips).max(settings.test_clips) as u64;
        if largest > 1 << 40 {
            let reason = format!("{largest} clips a split are too many; use at most 2^40");
            return Err(DataError::Setting { key: "train_clips", reason });
        }
        let classes = Motion::ALL.iter().map(Motion::to_string).collect();
        Ok(Self { settings, shape, classes, problems: Problems::default() })
    }
}

impl Dataset for Procedural {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        match split {
            Split::Train => self.settings.train_clips,
            Split::Validation => self.settings.validation_clips,
            Split::Test => self.settings.test_clips,
        }
    }

    fn sample(&self, split: Split, index: usize, _: Window) -> Result<Sample, DataError> {
        assert!(index < self.len(split), "clip {index} of the {split} split, which has {}", self.len(split));
        let number = index as u64
            + match split {
                Split::Train => 0,
                Split::Validation => 1 << 40,
                Split::Test => 1 << 41,
            };
        let label = index % Motion::ALL.len();
        let motion = Motion::ALL[label];
        let mut rng = generator(self.settings.seed, Purpose::Scene, &[number]);
        let pixels = scene::Scene::draw(motion, &mut rng).render(self.shape);
        Ok(Sample {
            clip: Clip::new(self.shape, pixels),
            label: Some(label),
            name: format!("{split}/{index:06}-{motion}"),
            start_frame: 0,
            real_frames: self.shape.frames,
            index: number,
        })
    }

    fn fingerprint(&self) -> String {
        let ProceduralSettings { train_clips, validation_clips, test_clips, seed } = self.settings;
        let text = format!("procedural {VERSION} {train_clips} {validation_clips} {test_clips} {seed}");
        super::video::hexadecimal(&Sha256::digest(text.as_bytes()))
    }

    fn problems(&self) -> &Problems {
        &self.problems
    }

    fn name(&self) -> String {
        "procedural".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(seed: u64) -> Procedural {
        let shape = ClipShape { frames: 8, height: 32, width: 32 };
        Procedural::new(ProceduralSettings { seed, ..ProceduralSettings::default() }, shape).unwrap()
    }

    #[test]
    fn the_same_seed_and_index_give_the_same_pixels() {
        for index in 0..24 {
            let a = dataset(1).sample(Split::Train, index, Window::Fixed).unwrap();
            assert_eq!(a, dataset(1).sample(Split::Train, index, Window::Random { seed: 9, epoch: 3 }).unwrap());
            assert_ne!(a.clip, dataset(2).sample(Split::Train, index, Window::Fixed).unwrap().clip);
        }
    }

    #[test]
    fn splits_share_no_clip() {
        let clips = Split::ALL.map(|split| dataset(0).sample(split, 5, Window::Fixed).unwrap());
        assert!(clips[0].clip != clips[1].clip && clips[1].clip != clips[2].clip);
        assert!(clips[0].index < clips[1].index && clips[1].index < clips[2].index);
    }

    #[test]
    fn labels_go_round_the_classes() {
        let data = dataset(0);
        assert_eq!(data.classes().len(), 12);
        for index in 0..30 {
            let sample = data.sample(Split::Validation, index, Window::Fixed).unwrap();
            assert_eq!(sample.label, Some(index % 12));
            assert!(sample.name.ends_with(&data.classes()[index % 12]), "{}", sample.name);
        }
    }

    #[test]
    fn every_clip_moves_between_neighbouring_frames() {
        let data = dataset(0);
        for index in 0..60 {
            let sample = data.sample(Split::Train, index, Window::Fixed).unwrap();
            let still = (1..8).filter(|f| sample.clip.frame(*f) == sample.clip.frame(f - 1)).count();
            assert!(still <= 1, "{}: {still} frames stand still", sample.name);
        }
    }

    #[test]
    fn the_fingerprint_is_of_the_settings() {
        assert_eq!(dataset(0).fingerprint(), dataset(0).fingerprint());
        assert_ne!(dataset(0).fingerprint(), dataset(1).fingerprint());
        assert_eq!(dataset(0).fingerprint().len(), 64);
    }
}
