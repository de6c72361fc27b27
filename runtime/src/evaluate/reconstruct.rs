//! Clips through the tokenizer and back.

use std::collections::BTreeMap;

use larp_traits::tensor::{ints_to_host, scalar, to_host};
use larp_traits::{Device, Draw, DynPerceptual, Progress};

use super::{CodeCounts, clip_errors, mean_frame};
use crate::RuntimeError;
use crate::clip::Clip;
use crate::convert::{to_clips, to_tensor};
use crate::data::{DataError, Sample};
use crate::model::Tokenizer;

/// A clip and what the tokenizer made of it.
#[derive(Debug, Clone)]
pub struct Reconstruction {
    /// The clip.
    pub original: Clip,
    /// From its tokens alone.
    pub reconstructed: Clip,
}

/// What is measured, and how.
#[derive(Debug)]
pub struct Measure<'a> {
    /// Without gradients.
    pub tokenizer: &'a Tokenizer,
    /// The perceptual distance, where the pipeline has one.
    pub perceptual: Option<&'a DynPerceptual>,
    /// Clips that are reconstructed at once.
    pub batch_size: usize,
    /// Clips that are handed back.
    pub keep: usize,
    /// Where the tokenizer is.
    pub device: &'a Device,
}

/// Means over clips, by the names of [`METRICS`](crate::report::METRICS), and the first clips.
///
/// # Errors
/// When the data fails.
pub fn reconstruct(
    measure: &Measure<'_>,
    samples: impl Iterator<Item = Result<Sample, DataError>>,
) -> Result<(BTreeMap<String, f64>, Vec<Reconstruction>), RuntimeError> {
    let Measure { tokenizer, perceptual, batch_size, keep, device } = *measure;
    let mut kept = Vec::new();
    let mut sums = BTreeMap::<&str, f64>::new();
    let mut codes = CodeCounts::new(tokenizer.quantizer.vocab_size());
    let mut count = 0;
    for batch in batches(samples, batch_size) {
        let clips: Vec<Clip> = batch?.into_iter().map(|sample| sample.clip).collect();
        let video = to_tensor(&clips, device);
        let tokenized = tokenizer.forward(video.clone(), Draw::Deterministic);
        let end = Progress { step: 1, total: 1 };
        let prior = tokenizer.prior_nll(&tokenized.quantized, end, Draw::Deterministic);
        codes.add(&ints_to_host(tokenized.quantized.tokens));
        let mut add = |name, value: f64| *sums.entry(name).or_default() += value;
        for errors in clip_errors(video.clone(), tokenized.reconstruction.clone()) {
            add("l1", errors.l1);
            add("psnr", errors.psnr());
        }
        if let Some(perceptual) = perceptual {
            let shown = tokenized.reconstruction.clone().clamp(0.0, 1.0);
            to_host(perceptual.distance(shown, video.clone())).into_iter().for_each(|value| add("perceptual", f64::from(value)));
        }
        clip_errors(video.clone(), mean_frame(video)).iter().for_each(|errors| add("mean_frame_psnr", errors.psnr()));
        if let Some(prior) = prior {
            add("prior_nll", f64::from(scalar(prior.nll)) * clips.len() as f64);
            add("prior_accuracy", f64::from(scalar(prior.accuracy)) * clips.len() as f64);
        }
        count += clips.len();
        let missing = keep - kept.len().min(keep);
        let pairs = clips.into_iter().zip(to_clips(tokenized.reconstruction)).take(missing);
        kept.extend(pairs.map(|(original, reconstructed)| Reconstruction { original, reconstructed }));
    }
    let mut values: BTreeMap<String, f64> =
        sums.into_iter().map(|(name, sum)| (name.to_owned(), sum / count.max(1) as f64)).collect();
    values.insert("code_usage".into(), codes.usage());
    values.insert("perplexity".into(), codes.perplexity());
    Ok((values, kept))
}

/// Groups of `size`, the last one smaller.
pub(crate) fn batches<T, E>(items: impl Iterator<Item = Result<T, E>>, size: usize) -> impl Iterator<Item = Result<Vec<T>, E>> {
    let mut items = items.peekable();
    std::iter::from_fn(move || {
        items.peek()?;
        Some(items.by_ref().take(size).collect())
    })
}
