//! What this machine and build have, what is missing, and how to get it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use larp_traits::{Kind, PerceptualSettings, PublishedFile, Registry};
use serde::Serialize;
use sysinfo::{Disks, MemoryRefreshKind, RefreshKind, System};

use crate::device;
use crate::media::FFMPEG_HINT;

const GIB: f64 = (1u64 << 30) as f64;
/// Below this, checkpoints and samples of a run fill the disk soon.
const LITTLE_DISK: f64 = 2.0 * GIB;
/// Below this, even small models are slow or killed.
const LITTLE_MEMORY: f64 = 2.0 * GIB;

/// A machine and a build.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checkup {
    /// Version of larp.
    pub version: String,
    /// Names for `--device`.
    pub devices: Vec<String>,
    /// Logical cores.
    pub cores: usize,
    /// Main memory in bytes.
    pub memory_bytes: u64,
    /// Of it, what can still be used.
    pub memory_available_bytes: u64,
    /// What is free on the disk of the current folder, in bytes, where the system tells.
    pub disk_free_bytes: Option<u64>,
    /// Version of `ffmpeg`, which writes mp4 files and reads videos.
    pub ffmpeg: Option<String>,
    /// Version of `ffprobe`, which reads videos.
    pub ffprobe: Option<String>,
    /// Whether libtorch is built in.
    pub libtorch: bool,
    /// Whether CUDA is built in.
    pub cuda: bool,
    /// NVIDIA's GPUs and their driver, as the driver names them.
    pub gpus: Vec<String>,
    /// Published files of the plugins, where they are looked for by default.
    pub files: Vec<FileCheck>,
    /// What is missing.
    pub missing: Vec<Missing>,
}

/// A published file that a plugin reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileCheck {
    /// The plugin: `perceptual/lpips-vgg`.
    pub plugin: String,
    /// What the file is.
    pub what: &'static str,
    /// Where it is looked for.
    pub path: PathBuf,
    /// What is wrong with it, and what to do.
    pub problem: Option<(String, String)>,
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What, and what it would be for.
    pub what: String,
    /// How to get it.
    pub how: String,
    /// Whether all but a special wish works without it.
    pub optional: bool,
}

impl Checkup {
    /// Looks at this machine and build; disk space is that of `folder`.
    pub fn of(folder: &Path) -> Self {
        let system = System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
        let mut checkup = Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            devices: device::available(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: system.total_memory(),
            memory_available_bytes: system.available_memory(),
            disk_free_bytes: disk_free(folder),
            ffmpeg: version("ffmpeg"),
            ffprobe: version("ffprobe"),
            libtorch: cfg!(feature = "libtorch"),
            cuda: cfg!(feature = "cuda"),
            gpus: gpus(),
            files: files(),
            missing: Vec::new(),
        };
        checkup.missing = checkup.find_missing();
        checkup
    }

    fn find_missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut add = |what: &str, how: &str, optional| missing.push(Missing { what: what.into(), how: how.into(), optional });
        if self.ffmpeg.is_none() || self.ffprobe.is_none() {
            add("FFmpeg: video files cannot be read, and no mp4 is written; GIFs and folders of images work", FFMPEG_HINT, false);
        }
        if !self.libtorch {
            add("libtorch: large models train faster with it", "build with `--features libtorch`", true);
        }
        if !self.gpus.is_empty() && !self.cuda && !self.devices.iter().any(|name| name.contains("cuda")) {
            add("CUDA: there is a GPU, but this build cannot use it", "build with `--features cuda`", false);
        }
        #[cfg(feature = "cuda")]
        if let Err(lack) = crate::cuda::gpus() {
            add(&format!("CUDA: {}", lack.what), lack.how, false);
        }
        for FileCheck { plugin, what, path, problem } in &self.files {
            if let Some((fault, how)) = problem {
                add(&format!("{what} for {plugin}: `{}` {fault}", path.display()), how, true);
            }
        }
        if self.disk_free_bytes.is_some_and(|free| (free as f64) < LITTLE_DISK) {
            add("disk space: checkpoints and samples need more", "free some, or write runs to another disk", false);
        }
        if (self.memory_available_bytes as f64) < LITTLE_MEMORY {
            add("memory: training may be killed", "close other programs, or lower `train.tokenizer.batch_size`", false);
        }
        missing
    }
}

/// The first line that a program says of its version, shortened to the version where it has FFmpeg's form.
fn version(program: &str) -> Option<String> {
    let output =
        Command::new(program).arg("-version").stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?;
    let words: Vec<&str> = line.split_whitespace().collect();
    Some(match words[..] {
        [_, "version", version, ..] => version.to_owned(),
        _ => line.to_owned(),
    })
}

/// Free space on the disk that holds a folder: the one mounted nearest above it.
fn disk_free(folder: &Path) -> Option<u64> {
    let folder = folder.canonicalize().ok()?;
    let disks = Disks::new_with_refreshed_list();
    let above = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    above.max_by_key(|disk| disk.mount_point().components().count()).map(|disk| disk.available_space())
}

fn files() -> Vec<FileCheck> {
    let Ok(registry) = Registry::global() else { return Vec::new() };
    let mut found = Vec::new();
    for plugin in registry.list(Some(Kind::Perceptual)) {
        let settings = plugin.settings().and_then(|table| registry.settings::<Box<dyn PerceptualSettings>>(plugin.kind, table));
        let files = settings.map(|settings| settings.files()).unwrap_or_default().into_iter();
        found.extend(files.map(|file| check(format!("{}/{}", plugin.kind, plugin.name), &file)));
    }
    found
}

fn check(plugin: String, file: &PublishedFile) -> FileCheck {
    let problem = file.check().err().map(|problem| (problem.fault.to_string(), file.how_to_get()));
    FileCheck { plugin, what: file.what, path: file.path.clone(), problem }
}

fn gpus() -> Vec<String> {
    let query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
    if let Ok(output) = Command::new("nvidia-smi").args(query).stdin(Stdio::null()).output()
        && output.status.success()
    {
        return String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect();
    }
    // without nvidia-smi, the driver's own file still tells that it is loaded
    let driver = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    driver.lines().next().map(str::to_owned).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkup_names_the_cpu_and_how_to_get_what_is_missing() {
        let checkup = Checkup::of(Path::new("."));
        assert_eq!(checkup.devices[0], "cpu");
        assert!(checkup.memory_bytes > 0 && checkup.cores > 0);
        assert!(checkup.missing.iter().all(|missing| !missing.how.is_empty()));
        assert_eq!(
            checkup.missing.iter().any(|missing| missing.what.contains("FFmpeg")),
            checkup.ffmpeg.is_none() || checkup.ffprobe.is_none()
        );
    }

    #[test]
    fn a_program_that_is_not_there_has_no_version() {
        assert_eq!(version("no-such-program"), None);
    }
}
