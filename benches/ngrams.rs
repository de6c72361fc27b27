//! Time and peak memory of counting the 2- and 3-grams of sequences of 1024 tokens of 8192, as many as the paper counts.
//!
//! `[LARP_BENCH_SEQUENCES=1000000] cargo bench -p larp-benches --bench ngrams`; without a number a tenth of a million. Half of the tokens
//! are uniform, and half follow from the one before, so that some n-grams are frequent. Each count is a process of its own, so that its
//! peak memory is its own. The file takes 4 KiB a sequence.
#![recursion_limit = "256"]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use larp_runtime::analyze::{Grams, Histogram, TokenFile};

const LENGTH: usize = 1024;
const VOCAB: u64 = 8192;
const MEMORY_MIB: [u64; 2] = [1024, 2048];

/// The finaliser of SplitMix64.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn write_sequences(path: &Path, sequences: usize) -> std::io::Result<()> {
    let bytes = sequences * LENGTH * 4;
    let mut header = format!(r#"{{"tokens":{{"dtype":"I32","shape":[{sequences},{LENGTH}],"data_offsets":[0,{bytes}]}}}}"#);
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    let mut last = 0;
    for place in 0..(sequences * LENGTH) as u64 {
        let drawn = mix(place.wrapping_add(0x9e37_79b9_7f4a_7c15));
        last = if drawn >> 63 == 0 { drawn % VOCAB } else { mix(last) % VOCAB };
        file.write_all(&(last as u32).to_le_bytes())?;
    }
    file.flush()
}

/// Peak resident memory in MiB; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib / 1024.0)
}

/// Processor seconds of this process, where the system tells; the machine may be busy.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    // in hundredths of a second on every Linux
    (ticks(11) + ticks(12)) / 100.0
}

fn measure(path: &Path, n: usize, mib: u64) {
    let file = TokenFile::open(path).unwrap_or_else(|error| panic!("{error}"));
    let start = Instant::now();
    let mut histogram = Histogram::default();
    let grams = Grams { n, labels: None, memory: mib << 20 };
    let counted = grams.count(&file, &mut |_, _, _| {}, &mut |_, _, count| histogram.add(count));
    counted.unwrap_or_else(|error| panic!("{error}"));
    let summary = histogram.summary();
    let (seconds, distinct, all) = (start.elapsed().as_secs_f64(), summary.distinct, summary.occurrences);
    println!("{n} {mib:>8} MiB {seconds:>9.1} {:>9.1} {:>10.0} {all:>14} {distinct:>14}", cpu_seconds(), peak_mib());
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, path, n, mib] = &arguments[..]
        && flag == "--measure"
    {
        measure(Path::new(path), n.parse().expect("a number"), mib.parse().expect("a number"));
        return;
    }
    let sequences = std::env::var("LARP_BENCH_SEQUENCES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tokens.safetensors");
    write_sequences(&path, sequences).expect("the file is written");
    println!("{sequences} sequences of {LENGTH} tokens of {VOCAB}");
    println!("n  allowed for       wall s     cpu s   peak MiB        n-grams       distinct");
    for n in [2, 3] {
        for mib in MEMORY_MIB {
            let (n, mib) = (n.to_string(), mib.to_string());
            let status = Command::new(&arguments[0]).arg("--measure").arg(&path).args([n, mib]).status();
            assert!(status.is_ok_and(|status| status.success()), "the measurement ran");
        }
    }
}
