//! How much single tokens matter to the reconstruction (paper, appendix B.3 and Figure 10).

use larp_traits::tensor::{TensorData, ints_to_host};
use larp_traits::{Device, Draw, Int, Stream, Tensor};
use serde::Serialize;

use super::output::{Output, Record};
use super::plot::{Axis, Mark, Plot, Series};
use super::{ClipChoice, OnProgress};
use crate::RuntimeError;
use crate::convert::to_tensor;
use crate::evaluate::clip_errors;
use crate::use_run::{CLIPS_AT_ONCE, TrainedRun};

/// What to analyse.
#[derive(Debug, Clone)]
pub struct InfluenceRequest {
    /// The clips; 10 in the paper.
    pub clips: ClipChoice,
    /// Of the tokens that are put in place of others.
    pub seed: u64,
}

/// What the tokens of one clip do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ClipInfluence {
    clip: String,
    /// Of the reconstruction from its own tokens.
    psnr: f64,
    /// What replacing each token costs, in dB.
    drops: Vec<f64>,
    /// Share of the tokens that make nine tenths of all drops.
    vital_share: f64,
}

#[derive(Debug, Serialize)]
struct Influence {
    run: String,
    step: u64,
    seed: u64,
    clips: Vec<ClipInfluence>,
    /// Mean over pairs of clips of the share of their most influential tenths that they have in common; a tenth by chance.
    common_tenth: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    clip: &'a str,
    token: usize,
    psnr_drop: f64,
}

/// PSNR that is lost when one token is replaced by another one at random, for every token and clip. The paper gives a token "a random
/// value"; here it is always another value, or small vocabularies would show drops of nothing.
///
/// # Errors
/// When the data fails or a file cannot be written, or there is one token alone to choose from.
pub fn token_influence(
    run: &TrainedRun,
    request: &InfluenceRequest,
    mut output: Output,
    progress: OnProgress<'_>,
) -> Result<Record, RuntimeError> {
    let samples = request.clips.open(std::slice::from_ref(run))?;
    let vocab = run.tokenizer.quantizer.vocab_size();
    if vocab < 2 {
        return Err(RuntimeError::Request("with one code alone no token can be replaced by another".into()));
    }
    let mut clips = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        let video = to_tensor([&sample.clip], run.device());
        let tokens = ints_to_host(run.tokenizer.quantize(video.clone(), Draw::Deterministic).tokens);
        let total = (samples.len() * tokens.len()) as u64;
        let before = (index * tokens.len()) as u64;
        let stream = Stream::new(request.seed).fork("token-influence").at(index as u64);
        let decode = |tokens| run.tokenizer.decode_tokens(tokens);
        let told = &mut |done: usize| progress(before + done as u64, total, "tokens");
        let (psnr, drops) = influence(&decode, video, &tokens, &others(&tokens, vocab, stream), run.device(), told);
        clips.push(ClipInfluence { clip: sample.name.clone(), psnr, vital_share: vital_share(&drops), drops });
    }
    write(run, request, &clips, &mut output)?;
    let result = Influence { run: run.name(), step: run.step, seed: request.seed, common_tenth: common_tenth(&clips), clips };
    if let Some(common) = result.common_tenth {
        output.note(format!(
            "Two clips have {:.0} % of their most influential tenths of tokens in common; 10 % would be chance, and 100 % the same tokens \
             for all.",
            common * 100.0
        ));
    }
    output.finish(&result)
}

fn write(run: &TrainedRun, request: &InfluenceRequest, clips: &[ClipInfluence], output: &mut Output) -> Result<(), RuntimeError> {
    let rows = clips.iter().flat_map(|clip| {
        let drops = clip.drops.iter().enumerate();
        drops.map(|(token, &psnr_drop)| Row { clip: &clip.clip, token, psnr_drop })
    });
    output.csv("token-influence", rows)?;
    let plot = |clips: &[ClipInfluence]| Plot {
        x: Axis::linear("token"),
        y: Axis::linear("PSNR lost (dB)"),
        mark: Mark::Dots,
        series: clips.iter().map(|clip| Series { name: clip.clip.clone(), points: points(&clip.drops) }).collect(),
    };
    for (part, clips) in clips.chunks(5).enumerate() {
        let caption = "What replacing each token costs, a colour a clip";
        output.plot(&format!("token-influence-{part}"), &plot(clips), caption)?;
    }
    output.columns(["clip", "PSNR", "mean loss", "largest loss", "at token", "tokens for 90 % of it"]);
    for clip in clips {
        let mean = clip.drops.iter().sum::<f64>() / clip.drops.len() as f64;
        let largest = (0..clip.drops.len()).max_by(|&a, &b| clip.drops[a].total_cmp(&clip.drops[b])).unwrap_or_default();
        let decibels = |value: f64| format!("{value:.3} dB");
        let vital = format!("{:.0} %", clip.vital_share * 100.0);
        let psnr = format!("{:.2} dB", clip.psnr);
        output.row([clip.clip.clone(), psnr, decibels(mean), decibels(clip.drops[largest]), largest.to_string(), vital]);
    }
    output.note(format!(
        "Each of the {} tokens of {} clips of the {} split is replaced by another one, drawn with seed {}, and the clip decoded again (paper, \
         figure 10).",
        clips.first().map_or(0, |clip| clip.drops.len()),
        clips.len(),
        request.clips.split,
        request.seed
    ));
    tracing::debug!("analysed the tokens of `{}`", run.path().display());
    Ok(())
}

fn points(drops: &[f64]) -> Vec<(f64, f64)> {
    drops.iter().enumerate().map(|(token, &drop)| (token as f64, drop)).collect()
}

/// For each token another one, uniformly among the rest of the vocabulary.
fn others(tokens: &[i64], vocab: usize, stream: Stream) -> Vec<i64> {
    let other = |(place, &token): (usize, &i64)| {
        let drawn = (stream.at(place as u64).seed() % (vocab as u64 - 1)) as i64;
        drawn + i64::from(drawn >= token)
    };
    tokens.iter().enumerate().map(other).collect()
}

/// PSNR of the clip's own tokens, and what is lost of it with each token in turn replaced.
///
/// # Shapes
/// - decode: `[batch, tokens]` to `[batch, channels, frames, height, width]`
/// - video: `[1, channels, frames, height, width]`
fn influence(
    decode: &dyn Fn(Tensor<2, Int>) -> Tensor<5>,
    video: Tensor<5>,
    tokens: &[i64],
    replaced_by: &[i64],
    device: &Device,
    told: &mut dyn FnMut(usize),
) -> (f64, Vec<f64>) {
    let length = tokens.len();
    let decoded = |sequences: Vec<i64>| {
        let batch = sequences.len() / length;
        let [_, rest @ ..] = video.dims();
        let shape = [batch, rest[0], rest[1], rest[2], rest[3]];
        let sequences = Tensor::from_data(TensorData::new(sequences, [batch, length]), device);
        clip_errors(video.clone().expand(shape), decode(sequences))
    };
    let psnr = decoded(tokens.to_vec())[0].psnr();
    let mut drops = Vec::with_capacity(length);
    for start in (0..length).step_by(CLIPS_AT_ONCE) {
        let places = start..length.min(start + CLIPS_AT_ONCE);
        let mut sequences = tokens.repeat(places.len());
        places.enumerate().for_each(|(row, place)| sequences[row * length + place] = replaced_by[place]);
        drops.extend(decoded(sequences).iter().map(|errors| psnr - errors.psnr()));
        told(drops.len());
    }
    (psnr, drops)
}

/// Share of the tokens, the most influential first, whose drops make nine tenths of all that is lost; tokens that help are left out.
fn vital_share(drops: &[f64]) -> f64 {
    let mut losses: Vec<f64> = drops.iter().copied().filter(|&drop| drop > 0.0).collect();
    losses.sort_by(|a, b| b.total_cmp(a));
    let wanted = losses.iter().sum::<f64>() * 0.9;
    let mut sum = 0.0;
    let needed = losses.iter().take_while(|&&loss| {
        let missing = sum < wanted;
        sum += loss;
        missing
    });
    needed.count() as f64 / drops.len() as f64
}

fn common_tenth(clips: &[ClipInfluence]) -> Option<f64> {
    let tenth = |clip: &ClipInfluence| {
        let mut tokens: Vec<usize> = (0..clip.drops.len()).collect();
        tokens.sort_by(|&a, &b| clip.drops[b].total_cmp(&clip.drops[a]).then(a.cmp(&b)));
        tokens.truncate(tokens.len().div_ceil(10));
        tokens
    };
    let tenths: Vec<Vec<usize>> = clips.iter().map(tenth).collect();
    let pairs = (0..tenths.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let shares: Vec<f64> = pairs
        .map(|(a, b)| tenths[a].iter().filter(|token| tenths[b].contains(token)).count() as f64 / tenths[a].len() as f64)
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::cpu;

    use super::*;

    /// Shows each token but the second as a pixel, a tenth for each.
    fn decode(tokens: Tensor<2, Int>) -> Tensor<5> {
        let [batch, length] = tokens.dims();
        let seen = Tensor::<1>::from_floats([1.0, 0.0, 1.0], &cpu()).reshape([1, length]);
        (tokens.float() * seen * 0.1).reshape([batch, 1, 1, 1, length])
    }

    #[test]
    fn a_token_that_the_decoder_ignores_has_no_influence_and_the_others_what_a_hand_finds() {
        // the reconstruction is 0.1 off in the last pixel alone: mse 0.01 / 3
        let video = Tensor::<5>::from_data(TensorData::new(vec![0.2_f32, 0.0, 0.3], [1, 1, 1, 1, 3]), &cpu());
        let (psnr, drops) = influence(&decode, video, &[2, 5, 4], &[3, 9, 5], &cpu(), &mut |_| {});
        assert!((psnr - 10.0 * 300.0_f64.log10()).abs() < 1e-3, "{psnr}");
        assert_eq!(drops[1], 0.0);
        // errors of 0.1 and 0.1: twice; of 0.2: four times
        assert!((drops[0] - 3.0103).abs() < 1e-3 && (drops[2] - 6.0206).abs() < 1e-3, "{drops:?}");
    }

    #[test]
    fn another_token_is_always_another_one() {
        let tokens: Vec<i64> = (0..200).map(|index| index % 3).collect();
        let others = others(&tokens, 3, Stream::new(1));
        assert!(others.iter().zip(&tokens).all(|(other, token)| other != token && (0..3).contains(other)));
        assert!((0..3).all(|token| others.contains(&token)));
    }

    #[test]
    fn few_tokens_that_matter_are_a_small_share() {
        assert_eq!(vital_share(&[9.0, 0.5, 0.5, 0.0, -3.0]), 0.2);
        assert_eq!(vital_share(&[1.0; 10]), 0.9);
        assert_eq!(vital_share(&[0.0; 4]), 0.0);
    }

    #[test]
    fn clips_with_the_same_vital_tokens_have_all_in_common() {
        let clip = |vital: usize| ClipInfluence {
            clip: String::new(),
            psnr: 0.0,
            drops: (0..10).map(|token| f64::from(u8::from(token == vital))).collect(),
            vital_share: 0.1,
        };
        assert_eq!(common_tenth(&[clip(3), clip(3)]), Some(1.0));
        assert_eq!(common_tenth(&[clip(3), clip(4)]), Some(0.0));
        assert_eq!(common_tenth(&[clip(3)]), None);
    }
}
