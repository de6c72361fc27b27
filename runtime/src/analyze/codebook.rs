//! Which codes are used, how evenly, and how alike they are; now, and over training.

use larp_traits::precision::matmul;
use larp_traits::tensor::{ints_to_host, to_host};
use larp_traits::{Draw, Tensor};
use serde::Serialize;

use super::output::{Output, Record};
use super::plot::{Axis, Mark, Plot, Series};
use super::{ClipChoice, OnProgress, heat};
use crate::RuntimeError;
use crate::clip::{Clip, ClipShape};
use crate::convert::to_tensor;
use crate::data::Sample;
use crate::evaluate::CodeCounts;
use crate::model::Tokenizer;
use crate::report::{MetricSplit, Stage, files, read};
use crate::train::kept;
use crate::use_run::{CLIPS_AT_ONCE, TrainedRun, load_tokenizer};

/// Codes of the matrix in the picture, the most used ones.
const PICTURED: usize = 512;
/// Codes that are compared with all at once.
const ROWS: usize = 512;
/// Codes more alike than this do one job.
const TWINS: f64 = 0.99;

/// What to analyse.
#[derive(Debug, Clone)]
pub struct CodebookRequest {
    /// The clips whose tokens are counted.
    pub clips: ClipChoice,
}

/// How codes are used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Use {
    /// Steps of training.
    step: u64,
    /// Share of the codes that occur.
    usage: f64,
    /// `2^entropy`: the number of codes, if all were equally frequent.
    perplexity: f64,
    entropy_bits: f64,
    /// Mean over codes of the cosine similarity to the most similar other one; `None` for codes that cannot be listed.
    nearest_similarity: Option<f64>,
}

#[derive(Debug, Serialize)]
struct CodebookResult {
    run: String,
    vocab_size: usize,
    code_dim: usize,
    clips: usize,
    tokens: u64,
    /// Of the last checkpoint.
    now: Use,
    /// Codes with another one more similar than 0.99.
    twins: Option<usize>,
    /// Of each checkpoint that was kept, on the same clips.
    checkpoints: Vec<Use>,
    /// What training logged of its validation clips.
    logged: Vec<Logged>,
}

#[derive(Debug, Serialize)]
struct Logged {
    step: u64,
    usage: f64,
    perplexity: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    code: usize,
    count: u64,
    /// Cosine similarity to the most similar other code.
    nearest_similarity: Option<f64>,
    nearest_code: Option<usize>,
}

/// Usage, perplexity, entropy and similarity of the codes of a run.
///
/// # Errors
/// When the data or a checkpoint cannot be read, or a file cannot be written.
pub fn codebook(
    run: &TrainedRun,
    request: &CodebookRequest,
    mut output: Output,
    progress: OnProgress<'_>,
) -> Result<Record, RuntimeError> {
    let samples = request.clips.open(std::slice::from_ref(run))?;
    let checkpoints = kept(run.path(), Stage::Tokenizer)?;
    let total = (checkpoints.len() * samples.len()) as u64;
    let mut over_training = Vec::new();
    let mut last = None;
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        let tokenizer = load_tokenizer(&run.pipeline, checkpoint, run.device())?;
        let counts = counts(&tokenizer, &samples, run, &mut |done| {
            progress((index * samples.len() + done) as u64, total, "clips");
        });
        let nearest = tokenizer.quantizer.codebook().map(nearest);
        over_training.push(uses(checkpoint.step, &counts, nearest.as_deref()));
        last = Some((tokenizer, counts, nearest));
    }
    let (Some((tokenizer, counts, nearest)), Some(&now)) = (last, over_training.last()) else {
        let message = "its tokenizer has no checkpoint; go on with `train --resume`".into();
        return Err(RuntimeError::Run { path: run.path().to_owned(), message });
    };
    let numbers = counts.counts();
    output.csv(
        "codes",
        numbers.iter().enumerate().map(|(code, &count)| {
            let of_code = nearest.as_ref().map(|nearest| nearest[code]);
            Row {
                code,
                count,
                nearest_similarity: of_code.map(|(_, value)| value),
                nearest_code: of_code.map(|(other, _)| other),
            }
        }),
    )?;
    let logged = logged(run)?;
    let mut by_count: Vec<usize> = (0..numbers.len()).collect();
    by_count.sort_by_key(|&code| (std::cmp::Reverse(numbers[code]), code));
    frequency_plot(&mut output, numbers, &by_count)?;
    if let Some(codes) = tokenizer.quantizer.codebook() {
        matrix(&mut output, codes, &by_count)?;
    }
    training_plots(&mut output, &over_training, &logged)?;
    let twins = nearest.as_ref().map(|nearest| nearest.iter().filter(|(_, value)| *value > TWINS).count());
    let result = CodebookResult {
        run: run.name(),
        vocab_size: numbers.len(),
        code_dim: tokenizer.quantizer.code_dim(),
        clips: samples.len(),
        tokens: numbers.iter().sum(),
        now,
        twins,
        checkpoints: over_training,
        logged,
    };
    table(&mut output, &result, request);
    output.finish(&result)
}

fn table(output: &mut Output, result: &CodebookResult, request: &CodebookRequest) {
    output.columns(["step", "codes used", "perplexity", "entropy", "similarity of nearest codes"]);
    for of_step in &result.checkpoints {
        let similarity = of_step.nearest_similarity.map_or_else(|| "not listable".into(), |value| format!("{value:.3}"));
        let used = format!("{:.1} %", of_step.usage * 100.0);
        let (perplexity, entropy) = (format!("{:.1}", of_step.perplexity), format!("{:.3} bits", of_step.entropy_bits));
        output.row([of_step.step.to_string(), used, perplexity, entropy, similarity]);
    }
    output.note(format!(
        "The {} tokens of {} clips of the {} split, with each checkpoint that was kept. {} codes could be told apart by {:.3} bits at most.",
        result.tokens,
        result.clips,
        request.clips.split,
        result.vocab_size,
        (result.vocab_size as f64).log2()
    ));
    if result.tokens < 10 * result.vocab_size as u64 {
        output.note("There are less than ten tokens a code: that a code does not occur may be chance. Use more clips.");
    }
    if let Some(twins) = result.twins.filter(|&twins| twins > 0) {
        output.note(format!("{twins} codes have another one with a cosine similarity above {TWINS}: they do one job."));
    }
}

fn counts(tokenizer: &Tokenizer, samples: &[Sample], run: &TrainedRun, told: &mut dyn FnMut(usize)) -> CodeCounts {
    let mut counts = CodeCounts::new(tokenizer.quantizer.vocab_size());
    let mut done = 0;
    for part in samples.chunks(CLIPS_AT_ONCE) {
        let video = to_tensor(part.iter().map(|sample| &sample.clip), run.device());
        counts.add(&ints_to_host(tokenizer.quantize(video, Draw::Deterministic).tokens));
        done += part.len();
        told(done);
    }
    counts
}

fn uses(step: u64, counts: &CodeCounts, nearest: Option<&[(usize, f64)]>) -> Use {
    let perplexity = counts.perplexity();
    let mean = |nearest: &[(usize, f64)]| nearest.iter().map(|(_, value)| value).sum::<f64>() / nearest.len() as f64;
    let nearest_similarity = nearest.filter(|nearest| !nearest.is_empty()).map(mean);
    Use { step, usage: counts.usage(), perplexity, entropy_bits: perplexity.log2(), nearest_similarity }
}

/// Rows of length 1; a row of zeros stays.
///
/// # Shapes
/// - codes and output: `[vocab, code_dim]`
fn normalized(codes: Tensor<2>) -> Tensor<2> {
    let length = codes.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    codes / length
}

/// For each code the most similar other one, and their cosine similarity; none for a single code.
///
/// # Shapes
/// - codes: `[vocab, code_dim]`
fn nearest(codes: Tensor<2>) -> Vec<(usize, f64)> {
    let codes = normalized(codes);
    let vocab = codes.dims()[0];
    if vocab < 2 {
        return Vec::new();
    }
    let mut found = Vec::with_capacity(vocab);
    for start in (0..vocab).step_by(ROWS) {
        let part = codes.clone().slice_dim(0, start..vocab.min(start + ROWS));
        let similarities = to_host(matmul(part, codes.clone().transpose()));
        for (row, values) in similarities.chunks(vocab).enumerate() {
            let others = (0..vocab).filter(|&other| other != start + row);
            let best = others.max_by(|&a, &b| values[a].total_cmp(&values[b]));
            found.extend(best.map(|other| (other, f64::from(values[other]))));
        }
    }
    found
}

fn frequency_plot(output: &mut Output, counts: &[u64], by_count: &[usize]) -> Result<(), RuntimeError> {
    let total: u64 = counts.iter().sum();
    let points = |share: &dyn Fn(usize) -> f64| {
        let step = counts.len().div_ceil(1000);
        (0..counts.len()).step_by(step).map(|rank| ((rank + 1) as f64, share(rank))).collect()
    };
    let series = vec![
        Series { name: "codes, most used first".into(), points: points(&|rank| counts[by_count[rank]] as f64 / total as f64) },
        Series { name: "equal use of all".into(), points: points(&|_| 1.0 / counts.len() as f64) },
    ];
    let plot = Plot { x: Axis::linear("rank"), y: Axis::logarithmic("share of the tokens"), mark: Mark::Line, series };
    output.plot("usage", &plot, "Share of the tokens that each code has; codes that do not occur are not drawn")
}

fn matrix(output: &mut Output, codes: Tensor<2>, by_count: &[usize]) -> Result<(), RuntimeError> {
    let shown = &by_count[..by_count.len().min(PICTURED)];
    let codes = normalized(codes);
    let (dim, values) = (codes.dims()[1], to_host(codes));
    let row = |code: usize| &values[code * dim..(code + 1) * dim];
    let similarity = |a: usize, b: usize| row(a).iter().zip(row(b)).map(|(x, y)| x * y).sum::<f32>();
    let amounts: Vec<f32> = shown.iter().flat_map(|&a| shown.iter().map(move |&b| similarity(a, b).abs())).collect();
    let shape = ClipShape { frames: 1, height: shown.len(), width: shown.len() };
    let picture: Clip = heat::map(shape, &amounts);
    let caption = format!(
        "Cosine similarity of the {} most used codes, most used first, without its sign: from black (0) to pale yellow (1)",
        shown.len()
    );
    output.still("similarity", &picture, (PICTURED / shown.len().max(1)).max(1), &caption)
}

fn logged(run: &TrainedRun) -> Result<Vec<Logged>, RuntimeError> {
    let path = run.path().join(files::METRICS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let records = read(&path)?.into_iter();
    let of_tokenizer = records.filter(|record| (record.stage, record.split) == (Stage::Tokenizer, MetricSplit::Validation));
    let values = of_tokenizer.filter_map(|record| {
        let value = |name: &str| record.values.get(name).copied();
        Some(Logged { step: record.step, usage: value("code_usage")?, perplexity: value("perplexity")? })
    });
    Ok(values.collect())
}

fn training_plots(output: &mut Output, checkpoints: &[Use], logged: &[Logged]) -> Result<(), RuntimeError> {
    output.csv("checkpoints", checkpoints)?;
    output.csv("logged", logged)?;
    let plot = |label: &str, of_log: fn(&Logged) -> f64, of_checkpoint: fn(&Use) -> f64| {
        let log = logged.iter().map(|record| (record.step as f64, of_log(record))).collect();
        let kept = checkpoints.iter().map(|of_step| (of_step.step as f64, of_checkpoint(of_step))).collect();
        let named = [("logged in training", log), ("checkpoints, on these clips", kept)];
        let series = named.into_iter().map(|(name, points)| Series { name: name.into(), points }).collect();
        Plot { x: Axis::linear("step"), y: Axis::linear(label), mark: Mark::Line, series }
    };
    let usage = plot("codes used (%)", |record| record.usage * 100.0, |of_step| of_step.usage * 100.0);
    output.plot("usage-over-training", &usage, "Share of the codes that occur, over training")?;
    let perplexity = plot("perplexity (codes)", |record| record.perplexity, |of_step| of_step.perplexity);
    output.plot("perplexity-over-training", &perplexity, "Perplexity of the codes, over training")
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::*;

    #[test]
    fn the_nearest_code_is_found_by_direction_alone() {
        let codes = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-5.0, 0.0], [0.0, 0.0]], &cpu());
        let found = nearest(codes);
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let expected = [(2, half), (2, half), (1, half), (4, 0.0), (3, 0.0)];
        for ((other, value), (_, wanted)) in found.iter().zip(expected) {
            assert!((value - wanted).abs() < 1e-6 && *other < 5, "{found:?}");
        }
        assert_eq!((found[0].0, found[1].0), (2, 2));
        assert!(nearest(Tensor::<2>::ones([1, 2], &cpu())).is_empty());
    }

    #[test]
    fn entropy_and_perplexity_agree() {
        let mut counts = CodeCounts::new(8);
        counts.add(&[0, 1, 2, 3]);
        let found = uses(7, &counts, None);
        assert_eq!((found.step, found.usage, found.nearest_similarity), (7, 0.5, None));
        assert!((found.entropy_bits - 2.0).abs() < 1e-9 && (found.perplexity - 4.0).abs() < 1e-9);
        assert_eq!(uses(7, &counts, Some(&[(1, 0.5), (0, 1.0)])).nearest_similarity, Some(0.75));
    }
}
