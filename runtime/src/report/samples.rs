//! Where pictures and clips of a run lie, and which there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::SAMPLES;
use super::record::Stage;

/// The folder for samples of a stage after `step` steps.
pub fn step_folder(run: &Path, stage: Stage, step: u64) -> PathBuf {
    stage_folder(run, stage).join(format!("step-{step:08}"))
}

/// File name of the clip that shows original and reconstruction side by side.
pub fn clip_name(index: usize) -> String {
    format!("clip-{index:02}.gif")
}

/// File name of the stills of a predicted clip; that of the clip is [`clip_name`].
pub fn prediction_sheet_name(index: usize) -> String {
    format!("clip-{index:02}.png")
}

/// File name of a generated clip; characters that file names cannot hold become `_`.
pub fn generated_name(class: &str, index: usize) -> String {
    let kept = |c: char| if c.is_control() || r#"/\<>:"|?*"#.contains(c) { '_' } else { c };
    let name: String = class.chars().map(kept).collect();
    // hidden files count as unfinished
    let visible = if name.starts_with('.') { name.replacen('.', "_", 1) } else { name };
    format!("{visible}-{index:02}.gif")
}

fn stage_folder(run: &Path, stage: Stage) -> PathBuf {
    run.join(SAMPLES).join(stage.name())
}

/// The samples of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepSamples {
    pub step: u64,
    /// All finished files, by name.
    pub files: Vec<PathBuf>,
}

/// The steps with samples of a stage, ascending; without a folder there are none.
pub(super) fn step_samples(run: &Path, stage: Stage) -> Vec<StepSamples> {
    let mut steps: Vec<StepSamples> = entries(&stage_folder(run, stage))
        .into_iter()
        .filter_map(|folder| {
            let step = folder.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()?;
            let files = entries(&folder).into_iter().filter(|path| path.is_file()).collect();
            Some(StepSamples { step, files })
        })
        .filter(|samples| !samples.files.is_empty())
        .collect();
    steps.sort_by_key(|samples| samples.step);
    steps
}

/// Groups generated clips by the class that their names begin with.
pub(super) fn by_class(files: &[PathBuf]) -> BTreeMap<String, Vec<PathBuf>> {
    let mut classes: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let class = match stem.rsplit_once('-') {
            Some((class, index)) if !class.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => class,
            _ => stem.as_ref(),
        };
        classes.entry(class.to_owned()).or_default().push(file.clone());
    }
    classes
}

/// Visible entries of a folder, sorted; temporary files begin with a dot.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).into_iter().flatten().flatten();
    let visible = read.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let mut paths: Vec<PathBuf> = visible.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_survive_file_names_as_far_as_possible() {
        assert_eq!(generated_name("jumping jack", 3), "jumping jack-03.gif");
        assert_eq!(generated_name("../a/b", 0), "_._a_b-00.gif");
        let files = ["tai-chi-00.gif", "tai-chi-01.gif", "run.gif"].map(PathBuf::from);
        let classes = by_class(&files);
        assert_eq!(classes.keys().collect::<Vec<_>>(), ["run", "tai-chi"]);
        assert_eq!(classes["tai-chi"].len(), 2);
    }

    #[test]
    fn steps_are_found_in_order_without_unfinished_files() {
        let run = tempfile::tempdir().unwrap();
        for (step, name) in [(200, "clip-00.gif"), (100, "clip-00.gif"), (300, ".clip-00.gif.1-0.tmp")] {
            let folder = step_folder(run.path(), Stage::Tokenizer, step);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(name), "x").unwrap();
        }
        let steps: Vec<u64> = step_samples(run.path(), Stage::Tokenizer).iter().map(|s| s.step).collect();
        assert_eq!(steps, [100, 200]);
        assert!(step_samples(run.path(), Stage::Generator).is_empty());
    }
}
