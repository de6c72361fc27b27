//! `eval`: shards join into the numbers of one process, cards tell conditions apart, ablations measure by protocols.

mod common;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use larp_plugins::features::small3d::Small3dSettings;
use larp_runtime::ablate::{Measure, MeasureInput, ProtocolChoice};
use larp_runtime::data::{DataSettings, Split, Window};
use larp_runtime::eval::{
    EvalMeasure, EvalRequest, EvalResult, Metric, Protocol, ProtocolChanges, Shard, ShardChoice, compare, finish, join, measure,
    open_shards, protocol_names, shard_name, write_result,
};
use larp_runtime::predict::GivenFrames;
use larp_runtime::use_run::TrainedRun;
use larp_runtime::{clip::ClipShape, convert::to_tensor, device};
use larp_traits::tensor::{cpu, ints_to_host};
use rstest::rstest;

const METRICS: [Metric; 7] = [Metric::Rfvd, Metric::Gfvd, Metric::Psnr, Metric::Ssim, Metric::L1, Metric::Mse, Metric::Usage];

/// Three steps a stage.
fn trained(pipeline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let set =
        ["train.tokenizer.steps=3", "train.tokenizer.batch_size=2", "train.generator.steps=3", "train.generator.batch_size=2"];
    let more = ["train.generator.cached_clips=8", "train.evaluation_clips=2", "train.sample_clips=1"];
    let pipeline = common::builtin(pipeline, &[&set[..], &more[..]].concat());
    common::train(pipeline, &folder.path().join("run"), false).expect("trained");
    folder
}

/// A run that is trained once.
fn run() -> &'static Path {
    static RUN: OnceLock<tempfile::TempDir> = OnceLock::new();
    RUN.get_or_init(|| trained("patchwise-tiny")).path()
}

fn open(folder: &Path) -> TrainedRun {
    TrainedRun::open(&folder.join("run"), &device::parse(&common::device()).expect("a device")).expect("a run")
}

fn opened() -> TrainedRun {
    open(run())
}

fn request(clips: usize, shard: ShardChoice) -> EvalRequest {
    let text = "name = \"small\"\nsplit = \"test\"\nwindows = \"middle\"\nseed = 3\nclasses = \"copied\"\ncovariance = \"n-1\"\nbatch = 4\n\
                resamples = 50\ndistance_resamples = 5\nfeatures = { type = \"small3d\" }\nperceptual = { type = \"lpips-vgg\", weights = \"formula\" }";
    let changes = ProtocolChanges { clips: Some(clips), split: None };
    let (protocol, changes) = Protocol::parse("small", text).expect("a protocol").changed(changes);
    EvalRequest { metrics: METRICS.into(), protocol, changes, data: None, shard, device: common::device() }
}

fn shard(clips: usize, index: usize, of: usize) -> Shard {
    measure(&opened(), &request(clips, ShardChoice { index, of }), &mut |_, _, _| {}).expect("measured")
}

fn written(folder: &Path, shard: &Shard) -> PathBuf {
    let path = folder.join(shard_name(shard.index, shard.of));
    shard.write(&path).expect("written");
    path
}

#[test]
fn eight_shards_give_the_numbers_of_one_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = finish(&shard(37, 1, 1)).expect("numbers");
    (1..=8).for_each(|index| drop(written(folder.path(), &shard(37, index, 8))));
    let merged = finish(&join(open_shards(folder.path()).expect("shards")).expect("joined")).expect("numbers");
    assert_eq!(merged.card, whole.card);
    assert_eq!(merged.metrics.len(), 8);
    for (name, value) in &whole.metrics {
        let other = &merged.metrics[name];
        assert_eq!((value.clips, &value.name), (37, &other.name));
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{name}: {a} against {b}");
        close(value.value, other.value);
        assert!(value.value.is_finite() && value.value > 0.0, "{name}: {}", value.value);
        let (Some(a), Some(b)) = (value.interval, other.interval) else { panic!("{name} has no interval") };
        (0..2).for_each(|end| close(a[end], b[end]));
        assert!(a[0] <= value.value && value.value <= a[1], "{name}: {} outside {a:?}", value.value);
    }
    assert_eq!(whole.metrics["rfvd"].name, "rFVD-small3d");
    assert_eq!(whole.metrics["gfvd"].by_clips.keys().copied().collect::<Vec<_>>(), [4, 9, 18, 37]);
}

#[test]
fn a_missing_a_doubled_and_a_foreign_shard_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = (1..=3).map(|index| written(folder.path(), &shard(12, index, 3))).collect();
    let error = || join(open_shards(folder.path()).expect("shards")).expect_err("refused").to_string();
    std::fs::rename(&files[1], folder.path().join("aside")).expect("moved");
    assert_eq!(error(), "of 3 shards 1 is missing: 2; run `eval --shard i/3` for each");
    std::fs::rename(folder.path().join("aside"), &files[1]).expect("moved back");
    std::fs::copy(&files[1], folder.path().join("shard-copy.safetensors")).expect("copied");
    assert!(error().contains("shard 2 is there twice"), "{}", error());
    std::fs::remove_file(folder.path().join("shard-copy.safetensors")).expect("removed");
    written(folder.path(), &shard(16, 2, 3));
    assert!(error().contains("another measurement") && error().contains("clips"), "{}", error());
    std::fs::write(&files[1], b"not a shard").expect("broken");
    assert!(open_shards(folder.path()).expect_err("broken").to_string().contains("no whole shard"));
}

#[test]
fn results_of_other_conditions_are_marked() {
    let folder = tempfile::tempdir().expect("a folder");
    let results: Vec<PathBuf> = [8, 8, 12]
        .into_iter()
        .enumerate()
        .map(|(index, clips)| {
            let (path, shard) = (folder.path().join(index.to_string()), shard(clips, 1, 1));
            write_result(&path, &shard, &finish(&shard).expect("numbers")).expect("written");
            path
        })
        .collect();
    let comparison = compare(&results).expect("compared");
    let marks: Vec<Option<usize>> = comparison.rows.iter().map(|row| row.mark).collect();
    assert_eq!(marks, [None, None, Some(1)]);
    assert!(comparison.marks[0].contains("`clips`: 8 -> 12"), "{:?}", comparison.marks);
    let text = std::fs::read(results[0].join("result.json")).expect("a file");
    let read: EvalResult = serde_json::from_slice(&text).expect("a result");
    assert!(read.card.clip_list_sha256.is_some() && results[0].join("distance-against-n.svg").is_file());
    assert_eq!(std::fs::read_to_string(results[0].join("clips.csv")).expect("a table").lines().count(), 9);
}

#[test]
fn an_ablation_measures_by_its_protocol() {
    let run = run().join("run");
    let pipeline = opened().pipeline;
    let metrics = ["rfvd".to_owned(), "ssim".to_owned()];
    let input = MeasureInput {
        run: &run,
        pipeline: &pipeline,
        metrics: &metrics,
        device: &common::device(),
        protocol: &ProtocolChoice { name: "held-out".into(), clips: Some(10) },
        program: Path::new(""),
    };
    let values = EvalMeasure.measure(&input).expect("measured");
    assert_eq!(values.keys().map(String::as_str).collect::<Vec<_>>(), ["rfvd", "ssim"]);
}

#[test]
fn predicted_clips_are_measured_at_the_size_of_the_protocol() {
    let folder = trained("frame-prediction-tiny");
    let mut run = open(folder.path());
    let mut protocol = Protocol::open("released-k600-fp").expect("built in");
    (protocol.features, protocol.distance_resamples) = (Box::new(Small3dSettings::default()), 5);
    let (protocol, changes) = protocol.changed(ProtocolChanges { clips: Some(8), split: None });
    let request = EvalRequest { metrics: vec![Metric::Gfvd], protocol, changes, ..request(8, ShardChoice::WHOLE) };
    let gfvd = |run: &TrainedRun, request: &EvalRequest| {
        let result = finish(&measure(run, request, &mut |_, _, _| {}).expect("measured")).expect("numbers");
        (result.metrics["gfvd"].value, result.card)
    };
    let (generated, card) = gfvd(&run, &request);
    assert!(generated.is_finite() && generated > 0.0, "{generated}");
    assert_eq!(card.sampling.and_then(|sampling| sampling.given_frames), Some(GivenFrames::Generated));
    assert_eq!(card.protocol["resize"], serde_json::json!({ "height": 64, "width": 64 }));
    run.pipeline.sampling.given_frames = GivenFrames::Kept;
    let (kept, card) = gfvd(&run, &request);
    assert!(kept < generated, "clips that begin with the real frames are nearer to them: {kept} against {generated}");
    assert_eq!(card.sampling.and_then(|sampling| sampling.given_frames), Some(GivenFrames::Kept));
}

#[rstest]
fn built_in_protocols_open_and_unknown_ones_are_refused() {
    for name in protocol_names() {
        assert_eq!(Protocol::open(name).expect("built in").name, name);
    }
    let error = Protocol::open("held-uot").expect_err("no such protocol").to_string();
    assert!(error.starts_with("there is no protocol `held-uot`: neither a file nor one of held-out"), "{error}");
    let error = Protocol::parse("x", "name = \"x\"\nfeatures = { type = \"i4d\" }").expect_err("no such network").to_string();
    assert!(error.contains("i4d") && error.contains("small3d"), "{error}");
}

/// The head that small3d was trained with knows the motions of clips that it never saw.
#[test]
fn small3d_knows_the_motions_of_held_out_clips() {
    use larp_plugins::features::small3d::Small3d;
    let data = DataSettings::default().open(ClipShape { frames: 8, height: 32, width: 32 }).expect("clips");
    let samples: Vec<_> = (0..96).map(|index| data.sample(Split::Test, index, Window::Fixed).expect("drawn")).collect();
    let logits = Small3d::new(&cpu()).logits(to_tensor(samples.iter().map(|sample| &sample.clip), &cpu()));
    let guesses = ints_to_host(logits.argmax(1));
    let right = guesses.iter().zip(&samples).filter(|(guess, sample)| sample.label == Some(**guess as usize)).count();
    assert!(right >= 72, "{right} of 96");
}
