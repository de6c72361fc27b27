//! Where and how a run was started, `environment.json`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The Burn release in use; the workspace pins exactly this one.
const BURN_VERSION: &str = "0.21.0";

/// Everything needed to understand or repeat a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Version of larp-rs.
    pub larp_version: String,
    /// Version of Burn.
    pub burn_version: String,
    /// Version of the Rust compiler, where the build set `LARP_RUST_VERSION`.
    pub rust_version: Option<String>,
    /// Commit of the source, where known.
    pub git_commit: Option<String>,
    /// Operating system with its version.
    pub os: String,
    /// Processor architecture, such as `x86_64`.
    pub arch: String,
    /// Model of the processor.
    pub cpu: String,
    /// Logical cores.
    pub cores: usize,
    /// Main memory in bytes.
    pub memory_bytes: u64,
    /// The device that computes, in words.
    pub device: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// When the run started.
    pub started: Timestamp,
    /// The program and its arguments; of the program only the name.
    pub command: Vec<String>,
}

/// What [`Environment::capture`] cannot find out by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentInput {
    /// The device that computes, in words.
    pub device: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Commit of the source, where known.
    pub git_commit: Option<String>,
}

impl Environment {
    /// Looks at this machine and process.
    pub fn capture(input: EnvironmentInput) -> Self {
        let wanted =
            RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(wanted);
        let cpu = system.cpus().first().map(|cpu| cpu.brand().trim()).filter(|brand| !brand.is_empty());
        Self {
            larp_version: env!("CARGO_PKG_VERSION").to_owned(),
            burn_version: BURN_VERSION.to_owned(),
            rust_version: option_env!("LARP_RUST_VERSION").map(str::to_owned),
            git_commit: input.git_commit.or_else(|| option_env!("LARP_GIT_COMMIT").map(str::to_owned)),
            os: System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
            arch: System::cpu_arch(),
            cpu: cpu.unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: system.total_memory(),
            device: input.device,
            seed: input.seed,
            started: Timestamp::now(),
            command: command(),
        }
    }
}

fn command() -> Vec<String> {
    let mut arguments = std::env::args_os();
    let program = arguments.next().map(std::path::PathBuf::from);
    // where the program lies says nothing about the run and much about the user
    let name = program.and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    name.into_iter().chain(arguments.map(|argument| argument.to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_environment_survives_json() {
        let input = EnvironmentInput { device: "CPU".to_owned(), seed: 7, git_commit: None };
        let environment = Environment::capture(input);
        assert!(environment.memory_bytes > 0 && environment.cores > 0);
        assert!(!environment.command[0].contains('/'));
        let text = serde_json::to_string(&environment).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&text).unwrap(), environment);
    }
}
