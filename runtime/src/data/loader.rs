//! Training batches.

use std::sync::Arc;

use super::pool::Pool;
use super::random::permutation;
use super::{DataError, Dataset, Sample, Split, Window};

/// How to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderSettings {
    /// Which split.
    pub split: Split,
    /// Clips a batch.
    pub batch_size: usize,
    /// Seed of order, windows and flips.
    pub seed: u64,
    /// The first step to give; a resumed run gives the number of steps it has behind it and sees the batches that come next.
    pub first_step: u64,
    /// Threads that draw or decode.
    pub workers: usize,
    /// Batches read ahead.
    pub prefetch: usize,
}

impl LoaderSettings {
    /// Two workers, two batches ahead, from step 0.
    pub fn new(split: Split, batch_size: usize, seed: u64) -> Self {
        Self { split, batch_size, seed, first_step: 0, workers: 2, prefetch: 2 }
    }
}

/// The clips of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The step.
    pub step: u64,
    /// `batch_size` clips.
    pub samples: Vec<Sample>,
}

/// One place in a batch: a position in the order of an epoch.
struct Slot {
    epoch: u64,
    position: usize,
    order: Arc<Vec<usize>>,
}

/// Endless iterator over batches. Slot `k` of step `s` is place `s * batch_size + k` of the concatenated epochs; each epoch is a
/// permutation drawn from (seed, epoch). Where a clip cannot be decoded, its slot takes the next of the epoch's order that can,
/// whatever the other workers do. Dropping it stops the workers after the clip at hand.
pub struct Loader {
    dataset: Arc<dyn Dataset>,
    settings: LoaderSettings,
    pool: Pool<Slot, Result<Sample, DataError>>,
    order: (u64, Arc<Vec<usize>>),
    queued: u64,
    step: u64,
    failed: bool,
}

impl Loader {
    /// Starts the workers.
    ///
    /// # Errors
    /// When the split is empty, `batch_size` is 0, or a thread does not start.
    pub fn new(dataset: Arc<dyn Dataset>, settings: LoaderSettings) -> Result<Self, DataError> {
        let LoaderSettings { split, batch_size, seed, first_step, .. } = settings;
        let len = dataset.len(split);
        if batch_size == 0 {
            return Err(DataError::Setting { key: "batch_size", reason: "it must be at least 1".into() });
        }
        if len == 0 {
            return Err(DataError::EmptySplit { split, source_name: dataset.name() });
        }
        let reader = dataset.clone();
        let pool = Pool::new(settings.workers, move |slot: Slot| first_good(reader.as_ref(), split, seed, &slot))?;
        let queued = first_step * batch_size as u64;
        let epoch = queued / len as u64;
        let order = (epoch, Arc::new(permutation(seed, epoch, len)));
        Ok(Self { dataset, settings, pool, order, queued, step: first_step, failed: false })
    }

    fn fill(&mut self) {
        let len = self.order.1.len() as u64;
        while self.pool.pending() < self.settings.batch_size * (self.settings.prefetch + 1) {
            let epoch = self.queued / len;
            if epoch != self.order.0 {
                self.order = (epoch, Arc::new(permutation(self.settings.seed, epoch, len as usize)));
            }
            let position = (self.queued % len) as usize;
            self.pool.push(Slot { epoch, position, order: self.order.1.clone() });
            self.queued += 1;
        }
    }

    /// The data set that is loaded.
    pub fn dataset(&self) -> &Arc<dyn Dataset> {
        &self.dataset
    }
}

fn first_good(dataset: &dyn Dataset, split: Split, seed: u64, slot: &Slot) -> Result<Sample, DataError> {
    let len = slot.order.len();
    let mut first = None;
    for offset in 0..len {
        let index = slot.order[(slot.position + offset) % len];
        match dataset.sample(split, index, Window::Random { seed, epoch: slot.epoch }) {
            Ok(sample) => return Ok(sample),
            Err(error) => {
                let Some((path, reason)) = error.skippable() else { return Err(error) };
                dataset.problems().record(path, &reason);
                first.get_or_insert_with(|| error.to_string());
            }
        }
    }
    Err(DataError::NothingDecodes { split, tried: len, first: first.unwrap_or_default() })
}

impl Iterator for Loader {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        self.fill();
        let mut samples = Vec::with_capacity(self.settings.batch_size);
        while samples.len() < self.settings.batch_size {
            match self.pool.pop()?.and_then(|result| result) {
                Ok(sample) => samples.push(sample),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        // the workers go on while the caller computes
        self.fill();
        let step = self.step;
        self.step += 1;
        Some(Ok(Batch { step, samples }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::clip::{Clip, ClipShape};
    use crate::data::Problems;

    /// Clips whose pixels are their index; those in `bad` do not decode.
    struct Numbers {
        len: usize,
        bad: Vec<usize>,
        problems: Problems,
    }

    impl Dataset for Numbers {
        fn classes(&self) -> &[String] {
            &[]
        }
        fn len(&self, _: Split) -> usize {
            self.len
        }
        fn sample(&self, _: Split, index: usize, window: Window) -> Result<Sample, DataError> {
            if self.bad.contains(&index) {
                return Err(DataError::Decode { path: PathBuf::from(format!("{index}.mp4")), reason: "bad".into() });
            }
            let epoch = if let Window::Random { epoch, .. } = window { epoch } else { 0 };
            let shape = ClipShape { frames: 1, height: 1, width: 1 };
            let clip = Clip::new(shape, vec![index as u8, epoch as u8, 0]);
            Ok(Sample { clip, label: None, name: index.to_string(), start_frame: 0, real_frames: 1, index: index as u64 })
        }
        fn fingerprint(&self) -> String {
            String::new()
        }
        fn problems(&self) -> &Problems {
            &self.problems
        }
        fn name(&self) -> String {
            "numbers".into()
        }
    }

    fn batches(bad: &[usize], first_step: u64, workers: usize) -> (Arc<dyn Dataset>, Vec<Batch>) {
        let dataset: Arc<dyn Dataset> = Arc::new(Numbers { len: 10, bad: bad.to_vec(), problems: Problems::default() });
        let settings = LoaderSettings { first_step, workers, ..LoaderSettings::new(Split::Train, 4, 3) };
        let loader = Loader::new(dataset.clone(), settings).unwrap();
        (dataset, loader.take(10).map(Result::unwrap).collect())
    }

    #[test]
    fn every_epoch_holds_every_clip_once() {
        let (_, batches) = batches(&[], 0, 3);
        let pixels: Vec<_> = batches.iter().flat_map(|b| &b.samples).map(|s| s.clip.pixels.clone()).collect();
        for (epoch, clips) in pixels.chunks(10).enumerate() {
            assert!(clips.iter().all(|clip| usize::from(clip[1]) == epoch));
            let mut indices: Vec<u8> = clips.iter().map(|clip| clip[0]).collect();
            indices.sort_unstable();
            assert_eq!(indices, (0..10).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn a_resumed_loader_goes_on_where_it_stopped() {
        assert_eq!(batches(&[], 0, 2).1[6..], batches(&[], 6, 1).1[..4]);
    }

    #[test]
    fn bad_clips_are_replaced_the_same_way_for_any_number_of_workers() {
        let (dataset, one) = batches(&[2, 5, 7], 0, 1);
        assert_eq!(one, batches(&[2, 5, 7], 0, 5).1);
        assert!(one.iter().flat_map(|b| &b.samples).all(|s| ![2, 5, 7].contains(&s.index)));
        let names: Vec<_> = dataset.problems().list().into_iter().map(|p| p.path).collect();
        assert_eq!(names, ["2.mp4", "5.mp4", "7.mp4"].map(PathBuf::from));
    }

    #[test]
    fn nothing_that_decodes_is_an_error() {
        let all: Vec<usize> = (0..10).collect();
        let dataset = Arc::new(Numbers { len: 10, bad: all, problems: Problems::default() });
        let mut loader = Loader::new(dataset.clone(), LoaderSettings::new(Split::Train, 4, 3)).unwrap();
        assert!(matches!(loader.next(), Some(Err(DataError::NothingDecodes { tried: 10, .. }))));
        assert!(loader.next().is_none());
        let mut clips = crate::data::fixed(dataset, Split::Test, 3, 2).unwrap();
        assert!(matches!(clips.next(), Some(Err(DataError::NothingDecodes { tried: 10, .. }))));
    }

    #[test]
    fn fixed_clips_leave_out_bad_ones_and_stop_at_the_limit() {
        let dataset = Arc::new(Numbers { len: 10, bad: vec![1], problems: Problems::default() });
        let clips = crate::data::fixed(dataset, Split::Test, 3, 2).unwrap();
        assert_eq!(clips.map(|clip| clip.unwrap().index).collect::<Vec<_>>(), [0, 2, 3]);
    }
}
