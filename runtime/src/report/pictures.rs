//! The pictures of a run, chosen and embedded.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::embed::{Embedder, Picture};
use super::format;
use super::record::Stage;
use super::samples::{StepSamples, by_class, step_samples};

/// Bytes of pictures in a page; base64 makes a third more of them.
const BUDGET: usize = 12 << 20;
/// Reconstructed clips shown for a step.
const CLIPS: usize = 8;
/// Generated clips shown for a class.
const CLIPS_PER_CLASS: usize = 6;

/// All pictures on the page.
#[derive(Debug, Default, Serialize)]
pub(super) struct Pictures {
    /// Reconstructions, the latest step before the first.
    reconstructions: Vec<Reconstructions>,
    generated: Option<Generated>,
    predicted: Option<Predicted>,
    /// What is missing, in sentences.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Reconstructions {
    step: String,
    /// Whether these are the first of several steps, shown for comparison.
    first: bool,
    clips: Vec<Picture>,
    sheets: Vec<Picture>,
}

#[derive(Debug, Serialize)]
struct Generated {
    step: String,
    classes: Vec<Class>,
}

#[derive(Debug, Serialize)]
struct Predicted {
    step: String,
    clips: Vec<Picture>,
    sheets: Vec<Picture>,
}

#[derive(Debug, Serialize)]
struct Class {
    name: String,
    clips: Vec<Picture>,
}

/// Embeds the latest reconstructions and generated clips, and the first reconstructions as far as there is room.
pub(super) fn pictures(run: &Path) -> Pictures {
    let mut embedder = Embedder::new(BUDGET);
    let tokenizer = step_samples(run, Stage::Tokenizer);
    let mut pictures = Pictures::default();
    if let Some(latest) = tokenizer.last() {
        pictures.reconstructions.extend(reconstructions(&mut embedder, latest, false));
    }
    if let Some(latest) = step_samples(run, Stage::Generator).last() {
        // stills are there of predicted clips alone
        match latest.files.iter().any(|path| is_png(path)) {
            true => pictures.predicted = predicted(&mut embedder, latest),
            false => pictures.generated = generated(&mut embedder, latest),
        }
    }
    if let [first, _, ..] = tokenizer.as_slice() {
        pictures.reconstructions.extend(reconstructions(&mut embedder, first, true));
    }
    if embedder.left_out > 0 {
        let count = embedder.left_out;
        pictures.notes.push(format!("{count} pictures were left out to keep this page small; see `samples/`."));
    }
    let broken = embedder.unreadable.iter().map(|name| format!("`{name}` could not be shown: it is no picture."));
    pictures.notes.extend(broken);
    pictures
}

fn reconstructions(embedder: &mut Embedder, samples: &StepSamples, first: bool) -> Option<Reconstructions> {
    let step = step(samples);
    // an mp4 beside a GIF is the same clip
    let of = |wanted: fn(&Path) -> bool| -> Vec<&PathBuf> { samples.files.iter().filter(|path| wanted(path)).collect() };
    let (gifs, stills) = (of(is_gif), of(is_png));
    let mut embed = |paths: Vec<&PathBuf>, what: &str| -> Vec<Picture> {
        let numbered = paths.into_iter().enumerate();
        numbered.filter_map(|(index, path)| embedder.embed(path, format!("{what} {} after step {step}", index + 1))).collect()
    };
    let clips = embed(gifs.into_iter().take(CLIPS).collect(), "Original and reconstruction of clip");
    let sheets = embed(stills, "Frames of originals and reconstructions, sheet");
    (!clips.is_empty() || !sheets.is_empty()).then_some(Reconstructions { step, first, clips, sheets })
}

fn generated(embedder: &mut Embedder, samples: &StepSamples) -> Option<Generated> {
    let gifs: Vec<PathBuf> = samples.files.iter().filter(|path| is_gif(path)).cloned().collect();
    let mut classes = Vec::new();
    for (name, files) in by_class(&gifs) {
        let numbered = files.iter().take(CLIPS_PER_CLASS).enumerate();
        let clips: Vec<Picture> = numbered
            .filter_map(|(index, path)| embedder.embed(path, format!("Generated clip {} of class {name}", index + 1)))
            .collect();
        if !clips.is_empty() {
            classes.push(Class { name, clips });
        }
    }
    (!classes.is_empty()).then(|| Generated { step: step(samples), classes })
}

fn predicted(embedder: &mut Embedder, samples: &StepSamples) -> Option<Predicted> {
    let step = step(samples);
    let mut embed = |wanted: fn(&Path) -> bool, what: &str| -> Vec<Picture> {
        let paths = samples.files.iter().filter(|path| wanted(path)).take(CLIPS).enumerate();
        paths.filter_map(|(index, path)| embedder.embed(path, format!("{what} {} at step {step}", index + 1))).collect()
    };
    let sheets = embed(is_png, "Real above predicted frames of clip");
    let clips = embed(is_gif, "Real and predicted clip");
    (!clips.is_empty() || !sheets.is_empty()).then_some(Predicted { step, clips, sheets })
}

fn step(samples: &StepSamples) -> String {
    format::count(i64::try_from(samples.step).unwrap_or(i64::MAX))
}

fn is_gif(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif"))
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}
