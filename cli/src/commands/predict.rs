//! `predict`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use larp_runtime::data::Problem;
use larp_runtime::evaluate::PredictionScore;
use larp_runtime::use_run::{ClipOrigin, PredictRequest};
use serde::Serialize;

use super::trained::{counter, mp4_possible, open};
use crate::args::PredictArgs;
use crate::output::{Side, print, print_json, table};
use crate::terminal::Terminal;

#[derive(Serialize)]
struct Output {
    clips: Vec<OutputClip>,
    /// Over the clips with a score.
    mean_prediction_psnr: Option<f64>,
    mean_last_frame_psnr: Option<f64>,
    left_out: Vec<Problem>,
}

#[derive(Serialize)]
struct OutputClip {
    #[serde(flatten)]
    origin: ClipOrigin,
    given_frames: usize,
    /// None where the file has no frame after the given ones.
    score: Option<PredictionScore>,
    files: Vec<PathBuf>,
}

/// Writes predicted clips, and prints how near they come to the real ones.
pub fn predict(args: &PredictArgs, terminal: &Terminal) -> Result<()> {
    let run = open(&args.run)?;
    // refused before the first frame is decoded
    run.frame_condition()?;
    let with_mp4 = mp4_possible(terminal);
    let mut sampling = args.sampling.over(run.pipeline.sampling);
    sampling.given_frames = args.given.map_or(sampling.given_frames, Into::into);
    let request = PredictRequest { frames: args.frames, sampling, seed: args.sampling.seed };
    let counter = counter(terminal, "predicting");
    let mut input = run.clips(args.inputs.clone(), args.windows.into());
    let mut clips: Vec<OutputClip> = Vec::new();
    let outcome = run.predict(input.by_ref(), &request, |clip| {
        let files = clip.write(&args.output, clips.len(), with_mp4)?;
        clips.push(OutputClip { origin: clip.origin, given_frames: clip.given, score: clip.score, files });
        counter.inc(1);
        Ok(())
    });
    counter.finish_and_clear();
    let mut left_out = outcome?;
    for problem in &left_out {
        terminal.line(format!("left out `{}`: {}", problem.path.display(), problem.reason));
    }
    if clips.is_empty() {
        bail!("there is nothing to go on from: no input could be read that has enough frames");
    }
    left_out.extend(input.problems());
    let scores: Vec<PredictionScore> = clips.iter().filter_map(|clip| clip.score).collect();
    let mean = |value: fn(&PredictionScore) -> f64| {
        (!scores.is_empty()).then(|| scores.iter().map(value).sum::<f64>() / scores.len() as f64)
    };
    let mean_prediction_psnr = mean(|score| score.prediction_psnr);
    let output = Output { mean_prediction_psnr, mean_last_frame_psnr: mean(|score| score.last_frame_psnr), clips, left_out };
    if args.json { print_json(&output) } else { print(&text(&output)) }
}

fn text(output: &Output) -> String {
    let mut rows = vec![["clip", "frame", "given", "PSNR", "last frame", "written"].map(str::to_owned).to_vec()];
    let decibels = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2} dB"));
    for clip in &output.clips {
        let file = clip.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        rows.push(vec![
            clip.origin.name.clone(),
            clip.origin.start_frame.to_string(),
            clip.given_frames.to_string(),
            decibels(clip.score.map(|score| score.prediction_psnr)),
            decibels(clip.score.map(|score| score.last_frame_psnr)),
            file,
        ]);
    }
    if output.clips.len() > 1 {
        let means = [output.mean_prediction_psnr, output.mean_last_frame_psnr].map(decibels);
        rows.push(["mean".into(), String::new(), String::new()].into_iter().chain(means).collect());
    }
    table(&[Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Left], &rows)
}
