//! Where and when one token acts (paper, appendix B.3 and Figure 11).

use larp_traits::tensor::{TensorData, ints_to_host, to_host};
use larp_traits::{Draw, Int, Stream, Tensor};
use serde::Serialize;

use super::output::{Output, Record};
use super::{ClipChoice, OnProgress, heat};
use crate::RuntimeError;
use crate::clip::Clip;
use crate::convert::to_tensor;
use crate::media::{Gap, contact_sheet, grid, picture_scale};
use crate::use_run::{CLIPS_AT_ONCE, TrainedRun};

/// Share of the pixels that are below full heat: "the brightness of the heatmaps have been enhanced" (appendix B.3).
const BELOW_FULL: f64 = 0.995;

/// What a token is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// Token 0, as in the paper.
    Zero,
    /// Any token, drawn for each clip.
    Random,
}

/// What to analyse.
#[derive(Debug, Clone)]
pub struct HeatmapRequest {
    /// The clips; 5 in the paper.
    pub clips: ClipChoice,
    /// Places in the sequence; none for three that are spread evenly.
    pub tokens: Vec<usize>,
    /// What they are replaced by.
    pub replacement: Replacement,
    /// Of random replacements.
    pub seed: u64,
    /// Whether mp4 files are written beside the GIFs.
    pub with_mp4: bool,
}

#[derive(Debug, Serialize)]
struct TokenHeat {
    token: usize,
    /// The difference that is shown as full heat, of values in [0, 1].
    full_heat: f64,
    clips: Vec<ClipHeat>,
}

#[derive(Debug, Serialize)]
struct ClipHeat {
    clip: String,
    /// Whether the clip had the replacement there already.
    unchanged: bool,
    mean_difference: f64,
    /// Share of the frames that it acts on; see [`spread`].
    spread_over_frames: f64,
    /// Share of the pixels of all frames that it acts on.
    spread_over_pixels: f64,
}

#[derive(Debug, Serialize)]
struct Heatmaps {
    run: String,
    step: u64,
    replacement: Replacement,
    tokens: Vec<TokenHeat>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    token: usize,
    clip: &'a str,
    frame: usize,
    mean_difference: f64,
}

/// The difference between the reconstructions with and without one token, over the frames.
///
/// # Errors
/// When a token is past the end of the sequence, the data fails or a file cannot be written.
pub fn token_heatmap(
    run: &TrainedRun,
    request: &HeatmapRequest,
    mut output: Output,
    progress: OnProgress<'_>,
) -> Result<Record, RuntimeError> {
    let length = run.pipeline.plan()?.encoder.tokens;
    if let Some(token) = request.tokens.iter().find(|&&token| token >= length) {
        let message =
            format!("there is no token {token}: the sequences of `{}` have {length}, counted from 0", run.path().display());
        return Err(RuntimeError::Request(message));
    }
    let spread_evenly = || (0..3).map(|part| part * (length - 1) / 2).collect();
    let mut tokens: Vec<usize> = if request.tokens.is_empty() { spread_evenly() } else { request.tokens.clone() };
    tokens.sort_unstable();
    tokens.dedup();
    let samples = request.clips.open(std::slice::from_ref(run))?;
    let originals: Vec<Clip> = samples.iter().map(|sample| sample.clip.clone()).collect();
    let mut sequences = Vec::new();
    for part in originals.chunks(CLIPS_AT_ONCE) {
        sequences.extend(ints_to_host(run.tokenizer.quantize(to_tensor(part, run.device()), Draw::Deterministic).tokens));
    }
    let decode = |sequences: &[i64]| decoded(run, sequences, length);
    let whole = decode(&sequences);
    let (mut results, mut rows) = (Vec::new(), Vec::new());
    output.columns(["token", "clip", "mean difference", "acts on frames", "acts on pixels"]);
    for (index, &token) in tokens.iter().enumerate() {
        progress(index as u64, tokens.len() as u64, "tokens");
        let changed = replaced(&sequences, length, token, request, run.tokenizer.quantizer.vocab_size());
        let differences = differences(&whole, &decode(&changed));
        let pixels = originals[0].shape.frames * originals[0].shape.height * originals[0].shape.width;
        let full = full_heat(&differences);
        let amounts: Vec<f32> = differences.iter().map(|difference| (f64::from(*difference) / full) as f32).collect();
        let mut clips = Vec::new();
        for (number, (sample, of_clip)) in samples.iter().zip(differences.chunks(pixels)).enumerate() {
            let frames: Vec<f64> = of_clip.chunks(pixels / originals[0].shape.frames).map(mean).collect();
            rows.extend(frames.iter().enumerate().map(|(frame, &difference)| (token, number, frame, difference)));
            let own = &sequences[number * length..][token];
            let clip = ClipHeat {
                clip: sample.name.clone(),
                unchanged: *own == changed[number * length..][token],
                mean_difference: mean(of_clip),
                spread_over_frames: spread(&frames),
                spread_over_pixels: spread(&of_clip.iter().map(|&value| f64::from(value)).collect::<Vec<_>>()),
            };
            let percent = |share: f64| format!("{:.0} %", share * 100.0);
            let difference = if clip.unchanged { "has it already".into() } else { format!("{:.5}", clip.mean_difference) };
            let spreads = [percent(clip.spread_over_frames), percent(clip.spread_over_pixels)];
            output.row([token.to_string(), sample.name.clone(), difference, spreads[0].clone(), spreads[1].clone()]);
            clips.push(clip);
        }
        pictures(&mut output, token, &originals, &amounts, request.with_mp4)?;
        results.push(TokenHeat { token, full_heat: full, clips });
    }
    progress(tokens.len() as u64, tokens.len() as u64, "tokens");
    output.csv(
        "token-heatmap",
        rows.iter().map(|&(token, number, frame, mean_difference)| Row {
            token,
            clip: &samples[number].name,
            frame,
            mean_difference,
        }),
    )?;
    let by = if request.replacement == Replacement::Zero { "token 0" } else { "a token drawn at random" };
    output.note(format!(
        "One token of each clip is replaced by {by}; bright is where the reconstruction then differs (paper, figure 11). The brightness is \
         enhanced: half a percent of the pixels, over all clips, has full heat."
    ));
    output.note(
        "How much it acts on: 100 % where all frames or pixels differ alike, the share of the frames or pixels where some differ alike and \
         the others not at all (participation ratio).",
    );
    output.finish(&Heatmaps { run: run.name(), step: run.step, replacement: request.replacement, tokens: results })
}

fn decoded(run: &TrainedRun, sequences: &[i64], length: usize) -> Vec<Tensor<5>> {
    let tensor = |part: &[i64]| {
        let tokens = TensorData::new(part.to_vec(), [part.len() / length, length]);
        run.tokenizer.decode_tokens(Tensor::<2, Int>::from_data(tokens, run.device())).clamp(0.0, 1.0)
    };
    sequences.chunks(CLIPS_AT_ONCE * length).map(tensor).collect()
}

fn replaced(sequences: &[i64], length: usize, token: usize, request: &HeatmapRequest, vocab: usize) -> Vec<i64> {
    let mut changed = sequences.to_vec();
    for (number, sequence) in changed.chunks_mut(length).enumerate() {
        sequence[token] = match request.replacement {
            Replacement::Zero => 0,
            Replacement::Random => {
                let stream = Stream::new(request.seed).fork("token-heatmap").at(token as u64).at(number as u64);
                (stream.seed() % vocab as u64) as i64
            }
        };
    }
    changed
}

/// Absolute differences, their mean over the channels; `[clips, frames, height, width]`, row-major.
fn differences(whole: &[Tensor<5>], changed: &[Tensor<5>]) -> Vec<f32> {
    let difference = |(whole, changed): (&Tensor<5>, &Tensor<5>)| to_host((whole.clone() - changed.clone()).abs().mean_dim(1));
    whole.iter().zip(changed).flat_map(difference).collect()
}

/// The amount that all but the brightest pixels are below; the largest one where that is nothing.
fn full_heat(differences: &[f32]) -> f64 {
    let mut sorted = differences.to_vec();
    sorted.sort_by(f32::total_cmp);
    let place = ((sorted.len() - 1) as f64 * BELOW_FULL) as usize;
    let full = if sorted[place] > 0.0 { sorted[place] } else { sorted[sorted.len() - 1] };
    f64::from(full).max(1e-9)
}

fn pictures(output: &mut Output, token: usize, originals: &[Clip], amounts: &[f32], with_mp4: bool) -> Result<(), RuntimeError> {
    let shape = originals[0].shape;
    let heats: Vec<&[f32]> = amounts.chunks(shape.frames * shape.height * shape.width).collect();
    let pairs = || originals.iter().zip(&heats);
    let sheet: Vec<Clip> = pairs().flat_map(|(clip, heat)| [clip.clone(), heat::map(shape, heat)]).collect();
    let overlays: Vec<Clip> = pairs().flat_map(|(clip, heat)| [clip.clone(), heat::overlay(clip, heat)]).collect();
    let scale = picture_scale(shape.width);
    let caption = format!("Token {token}: each clip on the left, and where the token acts on it on the right");
    output.clip(&format!("token-{token:04}"), &grid(&overlays, 2, Gap::default())?, scale, with_mp4, &caption)?;
    let caption = format!("Token {token}: frames of each clip, and below them where the token acts");
    output.still(&format!("token-{token:04}-frames"), &contact_sheet(&sheet, Gap::default())?, scale.min(2), &caption)
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
}

/// The participation ratio, `(sum x)^2 / (n sum x^2)`: 1 where all amounts are equal, `k / n` where `k` are equal and the rest 0.
fn spread(amounts: &[f64]) -> f64 {
    let (sum, squares) = amounts.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    if squares > 0.0 { sum * sum / squares / amounts.len() as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::*;

    #[test]
    fn spread_is_the_share_that_differs() {
        assert_eq!(spread(&[2.0; 5]), 1.0);
        assert_eq!(spread(&[3.0, 3.0, 0.0, 0.0]), 0.5);
        assert_eq!(spread(&[0.0; 3]), 0.0);
    }

    #[test]
    fn differences_are_of_each_place_and_without_a_sign() {
        let clip = |values: [f32; 4]| vec![Tensor::<5>::from_data(TensorData::new(values.to_vec(), [1, 2, 1, 1, 2]), &cpu())];
        let found = differences(&clip([0.5, 0.5, 0.0, 1.0]), &clip([0.25, 0.5, 0.25, 0.0]));
        assert_eq!(found, [0.25, 0.5]);
    }

    #[test]
    fn one_bright_pixel_does_not_darken_the_rest() {
        let mut values = vec![0.1_f32; 999];
        values.push(1.0);
        assert!((full_heat(&values) - 0.1).abs() < 1e-6);
        assert_eq!(full_heat(&[0.0, 0.0, 0.5]), 0.5);
    }
}
