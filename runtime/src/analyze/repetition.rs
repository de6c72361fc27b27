//! Whether repeated frames are cheap (paper, appendix B.2 and Figure 8).

use larp_traits::{Draw, Tensor};
use serde::Serialize;

use super::output::{Output, Record};
use super::plot::{Axis, Mark, Plot, Series};
use super::{ClipChoice, OnProgress, names};
use crate::RuntimeError;
use crate::convert::to_tensor;
use crate::data::Sample;
use crate::evaluate::clip_errors;
use crate::use_run::{CLIPS_AT_ONCE, TrainedRun};

/// What to analyse.
#[derive(Debug, Clone)]
pub struct RepetitionRequest {
    /// The clips.
    pub clips: ClipChoice,
}

#[derive(Debug, Serialize)]
struct Level {
    repetitions: usize,
    unique_frames: usize,
    mean_psnr: f64,
    /// Standard error of the mean over clips.
    standard_error: f64,
}

#[derive(Debug, Serialize)]
struct RunLevels {
    run: String,
    step: u64,
    levels: Vec<Level>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    run: &'a str,
    repetitions: usize,
    unique_frames: usize,
    clip: &'a str,
    psnr: f64,
}

/// PSNR of clips whose first `frames / r` frames are played `r` times, for each `r`, and each run on the same clips.
///
/// # Errors
/// When the runs' clips differ in shape, the data fails or a file cannot be written.
pub fn repetition(
    runs: &[TrainedRun],
    request: &RepetitionRequest,
    mut output: Output,
    progress: OnProgress<'_>,
) -> Result<Record, RuntimeError> {
    let samples = request.clips.open(runs)?;
    let names = names(runs.iter().map(TrainedRun::path));
    let frames = samples[0].clip.shape.frames;
    let levels = levels(frames);
    let total = (runs.len() * levels.len() * samples.len()) as u64;
    let (mut results, mut rows, mut done) = (Vec::new(), Vec::new(), 0);
    for (run, name) in runs.iter().zip(&names) {
        let mut of_run = Vec::new();
        for &repetitions in &levels {
            let mut values = Vec::with_capacity(samples.len());
            for part in samples.chunks(CLIPS_AT_ONCE) {
                values.extend(psnr(run, part, repetitions));
                done += part.len() as u64;
                progress(done, total, "clips");
            }
            let unique_frames = frames / repetitions;
            let row = |(sample, &psnr): (&'_ Sample, &f64)| (sample.name.clone(), psnr);
            rows.extend(samples.iter().zip(&values).map(row).map(|(clip, psnr)| (name.clone(), repetitions, clip, psnr)));
            let (mean_psnr, standard_error) = mean_and_error(&values);
            of_run.push(Level { repetitions, unique_frames, mean_psnr, standard_error });
        }
        results.push(RunLevels { run: name.clone(), step: run.step, levels: of_run });
    }
    output.csv(
        "repetition",
        rows.iter().map(|(run, repetitions, clip, psnr)| Row {
            run,
            repetitions: *repetitions,
            unique_frames: frames / repetitions,
            clip,
            psnr: *psnr,
        }),
    )?;
    let series = results.iter().map(|run| Series {
        name: run.run.clone(),
        points: run.levels.iter().map(|level| (level.repetitions as f64, level.mean_psnr)).collect(),
    });
    let plot = Plot {
        x: Axis::logarithmic("times that the frames are repeated"),
        y: Axis::linear("PSNR (dB)"),
        mark: Mark::Line,
        series: series.collect(),
    };
    output.plot("repetition", &plot, "PSNR of clips whose first frames are repeated to the full length")?;
    output.columns(["run", "repetitions", "unique frames", "PSNR", "standard error"]);
    for run in &results {
        for level in &run.levels {
            let [repetitions, unique] = [level.repetitions, level.unique_frames].map(|value| value.to_string());
            let [mean, error] = [level.mean_psnr, level.standard_error].map(|value| format!("{value:.2} dB"));
            output.row([run.run.clone(), repetitions, unique, mean, error]);
        }
    }
    output.note(format!(
        "Mean over {} clips of the {} split. Repeated frames carry no information: a tokenizer that sees the clip as a whole gains where \
         one that sees patches alone does not (paper, figure 8).",
        samples.len(),
        request.clips.split
    ));
    output.finish(&results)
}

/// Powers of two, as in the paper, and the number of frames itself; each divides the number of frames.
fn levels(frames: usize) -> Vec<usize> {
    let powers = std::iter::successors(Some(1), |level| Some(level * 2)).take_while(|&level| level < frames);
    powers.filter(|&level| frames.is_multiple_of(level)).chain([frames]).collect()
}

fn psnr(run: &TrainedRun, samples: &[Sample], repetitions: usize) -> Vec<f64> {
    let video = repeated(to_tensor(samples.iter().map(|sample| &sample.clip), run.device()), repetitions);
    let output = run.tokenizer.forward(video.clone(), Draw::Deterministic).reconstruction;
    clip_errors(video, output).iter().map(crate::evaluate::ClipErrors::psnr).collect()
}

/// The first part of the frames, again and again.
///
/// # Shapes
/// - video and output: `[batch, channels, frames, height, width]`
fn repeated(video: Tensor<5>, repetitions: usize) -> Tensor<5> {
    let frames = video.dims()[2];
    let first = video.slice_dim(2, 0..frames / repetitions);
    Tensor::cat(vec![first; repetitions], 2)
}

/// Mean, and its standard error; 0 for one value.
pub(super) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{TensorData, cpu, to_host};

    use super::*;

    #[test]
    fn levels_divide_the_frames() {
        assert_eq!(levels(16), [1, 2, 4, 8, 16]);
        assert_eq!(levels(12), [1, 2, 4, 12]);
        assert_eq!(levels(1), [1]);
    }

    #[test]
    fn the_first_frames_are_played_again() {
        let video = Tensor::from_data(TensorData::new(vec![1.0_f32, 2.0, 3.0, 4.0], [1, 1, 4, 1, 1]), &cpu());
        let frames = |repetitions| to_host(repeated(video.clone(), repetitions));
        assert_eq!(frames(1), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(frames(2), [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(frames(4), [1.0; 4]);
    }

    #[test]
    fn mean_and_error_by_hand() {
        assert_eq!(mean_and_error(&[1.0, 3.0]), (2.0, 1.0));
        assert_eq!(mean_and_error(&[5.0]), (5.0, 0.0));
    }
}
