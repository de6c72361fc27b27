//! `doctor`.

use std::path::Path;

use anyhow::Result;
use larp_runtime::doctor::Checkup;

use crate::args::DoctorArgs;
use crate::output::{Side, print, print_json, table};

/// Prints what this machine and build have, and what is missing.
pub fn doctor(args: &DoctorArgs) -> Result<()> {
    let checkup = Checkup::of(Path::new("."));
    if args.json { print_json(&checkup) } else { print(&text(&checkup)) }
}

fn text(checkup: &Checkup) -> String {
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64);
    let built_in = |yes: bool| if yes { "built in" } else { "not built in" }.to_owned();
    let program = |version: &Option<String>| version.clone().unwrap_or_else(|| "not found".into());
    let gpus = if checkup.gpus.is_empty() { "none seen".into() } else { checkup.gpus.join("; ") };
    let weights = match checkup.files.iter().filter(|file| file.problem.is_none()).count() {
        _ if checkup.files.is_empty() => "no plugin needs any".into(),
        there => format!("{there} of {} files of plugins are there", checkup.files.len()),
    };
    let rows = [
        ("larp", checkup.version.clone()),
        ("devices", checkup.devices.join(", ")),
        ("cores", checkup.cores.to_string()),
        ("memory", format!("{} available of {}", gib(checkup.memory_available_bytes), gib(checkup.memory_bytes))),
        ("disk", checkup.disk_free_bytes.map_or("unknown".into(), |free| format!("{} free here", gib(free)))),
        ("ffmpeg", program(&checkup.ffmpeg)),
        ("ffprobe", program(&checkup.ffprobe)),
        ("libtorch", built_in(checkup.libtorch)),
        ("CUDA", built_in(checkup.cuda)),
        ("GPUs", gpus),
        ("weights", weights),
    ];
    let mut text = table(&[Side::Left, Side::Left], &rows.map(|(name, value)| vec![name.to_owned(), value]));
    for missing in &checkup.missing {
        let word = if missing.optional { "could have" } else { "missing" };
        text += &format!("\n{word}: {}\n  {}\n", missing.what, missing.how);
    }
    if !checkup.missing.iter().any(|missing| !missing.optional) {
        text += "\nnothing that is needed is missing\n";
    }
    text
}
