//! `demo`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use larp_runtime::pipeline::{Source, builtin};
use larp_runtime::train::StageChoice;

use super::train::train_source;
use crate::args::DemoArgs;
use crate::terminal::Terminal;

const PIPELINE: &str = "patchwise-tiny";

/// Trains the small pipeline on procedural clips.
pub fn demo(args: DemoArgs, terminal: &Terminal) -> Result<ExitCode> {
    let text = builtin(PIPELINE).expect("it comes with the program");
    let source = Source::parse_text(PIPELINE, text)?;
    let run = args.run.unwrap_or_else(|| {
        let run = default_run(Path::new("runs"), args.training.resume);
        terminal.line(format!("run folder: {}", run.display()));
        run
    });
    train_source(source, &run, StageChoice::All, &args.training, None, terminal)
}

/// The first of `demo`, `demo-2`, ... that is free, or the last one that is there.
fn default_run(folder: &Path, resume: bool) -> PathBuf {
    let mut last = folder.join("demo");
    for number in 2.. {
        if !last.exists() {
            return last;
        }
        let next = folder.join(format!("demo-{number}"));
        if resume && !next.exists() {
            return last;
        }
        last = next;
    }
    last
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_new_run_takes_the_first_free_folder_and_a_resumed_one_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(default_run(folder, true), folder.join("demo"));
        for name in ["demo", "demo-2"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        assert_eq!(default_run(folder, false), folder.join("demo-3"));
        assert_eq!(default_run(folder, true), folder.join("demo-2"));
    }
}
