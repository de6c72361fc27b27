//! Training clips a second out of video files, with and without memory for decoded files.
//!
//! `[LARP_BENCH_CLIPS=FOLDER] cargo bench -p larp-benches --bench video`; without a folder, eight videos of ten seconds that `ffmpeg`
//! makes. The time to open the data set, which decodes each file once, is apart.
#![recursion_limit = "256"]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use larp_runtime::clip::ClipShape;
use larp_runtime::data::{Loader, LoaderSettings, Split, VideoFolder, VideoSettings};

const SHAPES: [ClipShape; 2] =
    [ClipShape { frames: 16, height: 128, width: 128 }, ClipShape { frames: 8, height: 32, width: 32 }];
const BATCH: usize = 8;
const BATCHES: usize = 12;

fn make_videos(folder: &Path) {
    for number in 0..8 {
        let source = format!("testsrc2=size=320x240:rate=25,hue=h={}", number * 45);
        let output = folder.join(format!("{number}.mp4"));
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "250", "-pix_fmt", "yuv420p"])
            .arg(output)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "ffmpeg makes the videos");
    }
}

/// Seconds to open the data set, and clips a second.
fn measure(folder: &Path, shape: ClipShape, cache_mb: usize) -> (f64, f64) {
    let start = Instant::now();
    let settings = VideoSettings { cache_mb, ..VideoSettings::new(folder) };
    let set = Arc::new(VideoFolder::open(settings, shape).unwrap_or_else(|error| panic!("{error}")));
    let opened = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let loader = Loader::new(set, LoaderSettings::new(Split::Train, BATCH, 0)).unwrap_or_else(|error| panic!("{error}"));
    let clips: usize = loader.take(BATCHES).map(|batch| batch.unwrap_or_else(|error| panic!("{error}")).samples.len()).sum();
    (opened, clips as f64 / start.elapsed().as_secs_f64())
}

fn main() {
    let made = tempfile::tempdir().expect("a temporary folder");
    let folder = std::env::var_os("LARP_BENCH_CLIPS").map_or_else(
        || {
            make_videos(made.path());
            made.path().to_owned()
        },
        PathBuf::from,
    );
    println!("{} clips of `{}`, 2 workers", BATCH * BATCHES, folder.display());
    for shape in SHAPES {
        for cache_mb in [0, 1024] {
            let (opened, rate) = measure(&folder, shape, cache_mb);
            let ClipShape { frames, height, width } = shape;
            println!("{frames} x {height} x {width}, cache_mb = {cache_mb:>4}: {rate:>7.1} clips/s (opened in {opened:.1} s)");
        }
    }
}
