//! `reconstruct`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use larp_runtime::data::Problem;
use larp_runtime::use_run::ClipOrigin;
use serde::Serialize;

use super::trained::{counter, mp4_possible, open};
use crate::args::ReconstructArgs;
use crate::output::{Side, print, print_json, table};
use crate::terminal::Terminal;

#[derive(Serialize)]
struct Output {
    clips: Vec<OutputClip>,
    mean_psnr: f64,
    mean_frame_psnr: f64,
    left_out: Vec<Problem>,
}

#[derive(Serialize)]
struct OutputClip {
    #[serde(flatten)]
    origin: ClipOrigin,
    psnr: f64,
    mean_frame_psnr: f64,
    l1: f64,
    files: Vec<PathBuf>,
}

/// Writes clips beside their reconstructions, and prints how far they differ.
pub fn reconstruct(args: &ReconstructArgs, terminal: &Terminal) -> Result<()> {
    let run = open(&args.run)?;
    let with_mp4 = mp4_possible(terminal);
    let counter = counter(terminal, "reconstructing");
    let mut input = run.clips(args.inputs.clone(), args.windows.into());
    let mut clips: Vec<OutputClip> = Vec::new();
    let outcome = run.reconstruct(input.by_ref(), |clip| {
        let files = clip.write(&args.output, clips.len(), with_mp4)?;
        let (psnr, mean_frame_psnr, l1) = (clip.errors.psnr(), clip.mean_frame.psnr(), clip.errors.l1);
        clips.push(OutputClip { origin: clip.origin, psnr, mean_frame_psnr, l1, files });
        counter.inc(1);
        Ok(())
    });
    counter.finish_and_clear();
    outcome?;
    if clips.is_empty() {
        bail!("there is nothing to reconstruct: no input could be read");
    }
    let mean = |value: fn(&OutputClip) -> f64| clips.iter().map(value).sum::<f64>() / clips.len() as f64;
    let (mean_psnr, mean_frame_psnr) = (mean(|clip| clip.psnr), mean(|clip| clip.mean_frame_psnr));
    let output = Output { mean_psnr, mean_frame_psnr, clips, left_out: input.problems() };
    if args.json { print_json(&output) } else { print(&text(&output)) }
}

fn text(output: &Output) -> String {
    let mut rows = vec![["clip", "frame", "PSNR", "mean frame", "written"].map(str::to_owned).to_vec()];
    let decibels = |value: f64| format!("{value:.2} dB");
    for clip in &output.clips {
        let file = clip.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        let (name, frame) = (clip.origin.name.clone(), clip.origin.start_frame.to_string());
        rows.push(vec![name, frame, decibels(clip.psnr), decibels(clip.mean_frame_psnr), file]);
    }
    if output.clips.len() > 1 {
        rows.push(vec!["mean".into(), String::new(), decibels(output.mean_psnr), decibels(output.mean_frame_psnr)]);
    }
    table(&[Side::Left, Side::Right, Side::Right, Side::Right, Side::Left], &rows)
}
