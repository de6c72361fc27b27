//! A generator that goes on from given frames is trained, measured, resumed and used.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{builtin, device, train, train_observed, weights};
use larp_runtime::clip::Clip;
use larp_runtime::data::{Split, Window, WindowPolicy};
use larp_runtime::media::write_png;
use larp_runtime::pipeline::Pipeline;
use larp_runtime::predict::GivenFrames;
use larp_runtime::report::{MetricSplit, Stage, read};
use larp_runtime::train::{Event, Observer, Outcome};
use larp_runtime::use_run::{GenerateRequest, PredictRequest, PredictedClip, TrainedRun};
use tempfile::TempDir;

const STEPS: usize = 6;

fn pipeline(more: &[&str]) -> Pipeline {
    let mut set = vec![
        "encoder.depth=1",
        "decoder.depth=1",
        "generator.depth=1",
        "train.tokenizer.steps=6",
        "train.generator.steps=6",
        "train.tokenizer.batch_size=2",
        "train.generator.batch_size=2",
        "train.generator.cached_clips=8",
        "train.generator.predicted_clips=3",
        "train.evaluation_clips=2",
        "train.sample_clips=2",
        "train.checkpoint_every=3",
        "train.log_every=1",
    ];
    set.extend(more);
    builtin("frame-prediction-tiny", &set)
}

fn trained(more: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline(more), folder.path(), false).expect("it runs");
    folder
}

fn open(folder: &Path) -> TrainedRun {
    TrainedRun::open(folder, &larp_runtime::device::parse(&device()).expect("a device")).expect("a run")
}

/// A held-out clip, or its first frames, as a folder of images.
fn clip(folder: &Path, name: &str, frames: usize) -> PathBuf {
    let pipeline = pipeline(&[]);
    let data = pipeline.data.open(pipeline.clip.shape()).expect("procedural");
    let clip = data.sample(Split::Test, 0, Window::Fixed).expect("drawn").clip;
    let path = folder.join(name);
    for frame in 0..frames {
        write_png(&path.join(format!("{frame}.png")), &clip.frames(frame..frame + 1), 1).expect("written");
    }
    path
}

fn request(run: &TrainedRun) -> PredictRequest {
    PredictRequest { frames: None, sampling: run.pipeline.sampling, seed: 3 }
}

fn predict(run: &TrainedRun, inputs: &[PathBuf], request: &PredictRequest) -> Vec<PredictedClip> {
    let mut clips = Vec::new();
    let taken = |clip| {
        clips.push(clip);
        Ok(())
    };
    run.predict(run.clips(inputs.to_vec(), WindowPolicy::First), request, taken).expect("predicted");
    clips
}

#[test]
fn training_measures_the_predicted_frames_and_leaves_pictures() {
    let folder = trained(&[]);
    let records = read(&folder.path().join("metrics.jsonl")).expect("metrics");
    let last = records.iter().rfind(|record| record.stage == Stage::Generator && record.split == MetricSplit::Validation);
    let values = &last.expect("an evaluation").values;
    for name in ["nll", "prediction_psnr", "last_frame_psnr", "reconstructed_frames_psnr"] {
        assert!(values[name].is_finite() && values[name] > 0.0, "{name}: {values:?}");
    }
    assert!((0.0..=1.0).contains(&values["onward"]), "{values:?}");
    let samples = folder.path().join(format!("samples/generator/step-{STEPS:08}"));
    for name in ["clip-00.gif", "clip-00.png", "clip-01.png"] {
        assert!(samples.join(name).is_file(), "{name}");
    }
    let report = std::fs::read_to_string(folder.path().join("report.html")).expect("a report");
    assert!(report.contains("Predicted clips") && report.contains("last-frame baseline"));
}

#[test]
fn the_same_seed_predicts_the_same_clip_and_another_seed_another() {
    let folder = trained(&[]);
    let run = open(folder.path());
    let input = [clip(folder.path(), "input", 8)];
    let with_seed = |seed| predict(&run, &input, &PredictRequest { seed, ..request(&run) }).remove(0).predicted;
    assert_eq!(with_seed(1), with_seed(1));
    assert_ne!(with_seed(1), with_seed(2));
}

#[test]
fn given_frames_are_generated_or_kept() {
    let folder = trained(&[]);
    let run = open(folder.path());
    let input = [clip(folder.path(), "input", 8)];
    let mut request = request(&run);
    let generated = predict(&run, &input, &request).remove(0);
    assert_eq!(generated.given, 4);
    request.sampling.given_frames = GivenFrames::Kept;
    let kept = predict(&run, &input, &request).remove(0);
    let first = |clip: &Clip| clip.frames(0..4);
    assert_eq!(first(&kept.predicted), first(&kept.original));
    assert_ne!(first(&generated.predicted), first(&kept.original));
    assert_eq!(kept.predicted.frames(4..8), generated.predicted.frames(4..8));
}

#[test]
fn what_comes_after_the_given_frames_is_not_looked_at() {
    let folder = trained(&[]);
    let run = open(folder.path());
    let (whole, given) = (clip(folder.path(), "whole", 8), clip(folder.path(), "given", 4));
    let clips: Vec<PredictedClip> =
        [whole, given].into_iter().map(|path| predict(&run, &[path], &request(&run)).remove(0)).collect();
    assert_eq!(clips[0].predicted, clips[1].predicted);
    // there is nothing to compare with after the last frame of the file
    assert!(clips[0].score.is_some() && clips[1].score.is_none());
}

#[test]
fn drawn_condition_tokens_change_the_prediction() {
    // at temperature 1 nearly every drawn token is another than the likeliest
    let argmax = trained(&["quantizer.temperature=1.0"]);
    let input = [clip(argmax.path(), "input", 8)];
    // a generator of six steps may not react to it on one seed
    let predicted = |run: &TrainedRun| -> Vec<Clip> {
        (0..8).map(|seed| predict(run, &input, &PredictRequest { seed, ..request(run) }).remove(0).predicted).collect()
    };
    let before = predicted(&open(argmax.path()));
    // the setting changes nothing in training
    let settings = argmax.path().join("pipeline.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    assert!(text.contains("condition_tokens = \"argmax\""), "{text}");
    std::fs::write(&settings, text.replace("condition_tokens = \"argmax\"", "condition_tokens = \"drawn\"")).expect("written");
    assert!(before != predicted(&open(argmax.path())), "drawn condition tokens predict the same");
}

#[test]
fn clips_with_too_few_frames_are_left_out_with_the_reason() {
    let folder = trained(&[]);
    let run = open(folder.path());
    let inputs = vec![clip(folder.path(), "short", 3), clip(folder.path(), "whole", 8)];
    let mut count = 0;
    let taken = |_| {
        count += 1;
        Ok(())
    };
    let left_out = run.predict(run.clips(inputs, WindowPolicy::First), &request(&run), taken).expect("predicted");
    assert_eq!((count, left_out.len()), (1, 1));
    assert!(left_out[0].path.ends_with("short") && left_out[0].reason.contains("fewer than the 4"), "{left_out:?}");
}

#[test]
fn requests_that_cannot_work_are_refused() {
    let folder = trained(&[]);
    let run = open(folder.path());
    let refused = |request: &PredictRequest| {
        let clips = run.clips(vec![clip(folder.path(), "whole", 8)], WindowPolicy::First);
        run.predict(clips, request, |_| Ok(())).expect_err("refused").to_string()
    };
    let all = refused(&PredictRequest { frames: Some(8), ..request(&run) });
    assert!(all.contains("from 1 to 7"), "{all}");
    let mut wide = request(&run);
    wide.sampling.top_p = 2.0;
    assert!(refused(&wide).contains("sampling.top_p"));
    let classes = GenerateRequest { classes: vec![0], count: 1, sampling: run.pipeline.sampling, seed: 0 };
    let error = run.generate(&classes).expect_err("refused").to_string();
    assert!(error.contains("`predict`"), "{error}");
}

/// Interrupts at a step of the generator.
struct StopAt(usize, Arc<AtomicBool>);

impl Observer for StopAt {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { stage: Stage::Generator, step, .. } if *step == self.0) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn an_interrupted_run_ends_with_the_weights_and_scores_of_an_uninterrupted_one() {
    let whole = trained(&[]);
    let parts = tempfile::tempdir().expect("a folder");
    let stop = Arc::new(AtomicBool::new(false));
    let outcome = train_observed(pipeline(&[]), parts.path(), false, &mut StopAt(4, stop.clone()), stop).expect("it runs");
    assert_eq!(outcome, Outcome::Interrupted);
    assert_eq!(train(pipeline(&[]), parts.path(), true).expect("it goes on"), Outcome::Finished);
    assert_eq!(weights(whole.path(), "generator", STEPS), weights(parts.path(), "generator", STEPS));
    let scores = |folder: &Path| -> Vec<_> {
        let records = read(&folder.join("metrics.jsonl")).expect("metrics");
        records.into_iter().filter_map(|record| record.values.get("prediction_psnr").copied()).collect()
    };
    assert_eq!(scores(whole.path()), scores(parts.path()));
}

#[test]
fn other_given_frames_are_tokenized_anew() {
    let files = |folder: &Path| std::fs::read_dir(folder.join("tokens")).expect("tokens").count();
    let folder = trained(&["train.generator.steps=1"]);
    assert_eq!(files(folder.path()), 2, "training and held-out clips");
    let settings = folder.path().join("pipeline.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, text.replace("condition_frames = 4", "condition_frames = 3")).expect("written");
    let three = pipeline(&["train.generator.steps=1", "generator.condition_frames=3"]);
    train(three, folder.path(), true).expect("it runs");
    assert_eq!(files(folder.path()), 4);
}
