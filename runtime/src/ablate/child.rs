//! One training run in a process of its own.
//!
//! Threads would share the backend's one random generator and die together; a process that runs out of memory takes nothing with it.
//! Its standard input is a pipe that we hold: when it closes, because we were interrupted or killed, the child saves a checkpoint
//! and stops. So no run is left behind that nobody watches, and a resumed ablation never meets one in the same folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::folder::RunState;
use crate::media::FileError;

/// How often a child is looked at.
const POLL: Duration = Duration::from_millis(50);

/// `128 + SIGINT`, with which `train` ends when it was interrupted and saved.
const INTERRUPTED: i32 = 130;

/// What to start.
pub(super) struct Training<'a> {
    pub program: &'a Path,
    pub pipeline: PathBuf,
    pub run: PathBuf,
    pub log: PathBuf,
    pub device: &'a str,
    /// Whether others run at the same time.
    pub crowded: bool,
}

/// How the threads of OpenMP, so of libtorch, wait for each other: if nothing is said, in a loop, which takes most of the time where
/// there are more of them than cores. Unlike their number, it does not change what is computed.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

impl Training<'_> {
    /// Runs it to its end, or until `interrupted` is set.
    ///
    /// # Errors
    /// When the program cannot be started or the log not be written.
    pub fn run(&self, interrupted: &AtomicBool) -> Result<RunState, FileError> {
        if let Some(folder) = self.log.parent() {
            fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))?;
        }
        let log = File::create(&self.log).map_err(FileError::at("create", &self.log))?;
        let errors = log.try_clone().map_err(FileError::at("open", &self.log))?;
        let patient = self.crowded && std::env::var_os(WAIT_POLICY).is_none();
        let child = Command::new(self.program)
            .arg("train")
            .arg(&self.pipeline)
            .arg("--run")
            .arg(&self.run)
            .args(["--device", self.device, "--resume", "--stop-with-stdin"])
            .env("NO_COLOR", "1")
            .envs(patient.then_some((WAIT_POLICY, "passive")))
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(FileError::at("start", self.program))?;
        let status = wait(child, interrupted).map_err(FileError::at("wait for", self.program))?;
        Ok(match status.code() {
            Some(0) => RunState::Finished,
            Some(INTERRUPTED) => RunState::Unfinished,
            _ => RunState::Failed(failure(&self.log, status)),
        })
    }
}

fn wait(mut child: Child, interrupted: &AtomicBool) -> std::io::Result<ExitStatus> {
    let mut input = child.stdin.take();
    loop {
        if interrupted.load(Ordering::Relaxed) {
            drop(input.take());
        }
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        sleep(POLL);
    }
}

/// The error that the program printed, or else its last lines, or how it ended.
fn failure(log: &Path, status: ExitStatus) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let error = lines.iter().rposition(|line| line.starts_with("error: ") || line.contains("panicked at"));
    let shown = error.unwrap_or(lines.len().saturating_sub(2));
    let shown: Vec<&str> = lines[shown..].iter().take(6).map(|line| line.trim()).collect();
    let message = shown.join("\n");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    match (message, status.code()) {
        ("", _) => status.to_string(),
        // killed by a signal: the last lines do not say so
        (message, None) => format!("{status}; its last words: {message}"),
        (message, Some(_)) => message.to_owned(),
    }
}
