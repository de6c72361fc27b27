//! What the presets `paper` and `released` resolve to, and that both train.

mod common;

use common::{CRITIC, builtin, tiny, train};
use larp_runtime::eval::{Protocol, protocol_names};
use larp_runtime::pipeline::{Pipeline, SettingSide, Side, Source};
use larp_runtime::report::{MetricSplit, read};
use larp_traits::deviation::deviations;
use rstest::rstest;

const VIDEO: &str = "data={ type = \"video\", path = \"clips\" }";

/// All that is registered matters to a `larp-b` that is trained on videos, and to one that predicts frames.
fn larp_b(preset: &str) -> Vec<SettingSide> {
    let preset = format!("preset={preset}");
    let sides = |more: &[&str]| builtin("larp-b", &[&[&preset, VIDEO], more].concat()).preset_sides().expect("TOML");
    let (mut all, with_frames) = (sides(&[]), sides(&["generator.task=frame-prediction"]));
    all.extend(with_frames.into_iter().filter(|side| side.item == 9));
    all.sort_by_key(|side| side.item);
    all
}

#[test]
fn every_registered_setting_of_larp_b_is_pinned() {
    let rows = larp_b("paper").into_iter().zip(larp_b("released")).map(|(paper, released)| {
        assert_eq!(paper.key, released.key);
        format!("{:2}  {:52}{:26}{}\n", paper.item, paper.key, paper.value.to_string(), released.value)
    });
    let head = format!("{:4}{:52}{:26}{}\n", "", "", "paper", "released");
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("presets", head + &rows.collect::<String>());
    });
}

#[test]
fn no_registered_setting_is_left_out() {
    let mut registered: Vec<_> = deviations().into_iter().flat_map(|one| one.settings).map(|sides| sides.key).collect();
    let mut found: Vec<_> = larp_b("paper").into_iter().map(|side| side.key).collect();
    registered.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, registered);
}

#[rstest]
#[case::paper("paper", Side::Paper)]
#[case::released("released", Side::Released)]
fn a_preset_is_on_one_side_of_everything(#[case] preset: &str, #[case] side: Side) {
    for found in larp_b(preset) {
        assert!(found.side == side || found.side == Side::Both, "{found:?}");
    }
}

/// A small LARP that leaves all of it to its preset.
fn small(preset: &str) -> Pipeline {
    let sizes = "dim = 16\ndepth = 1\nheads = 2\n";
    let patch = "patch = { frames = 4, size = 8 }\n";
    let text = format!(
        "name = \"small\"\npreset = \"{preset}\"\n{CRITIC}\n[clip]\nframes = 8\nheight = 16\nwidth = 16\n\
         [encoder]\ntype = \"holistic\"\ntokens = 4\n{sizes}{patch}[decoder]\ntype = \"holistic\"\n{sizes}{patch}\
         [quantizer]\ntype = \"svq\"\ncodebook_size = 24\n[prior]\ntype = \"continuous-ar\"\n{sizes}\
         [generator]\ntype = \"llama\"\nffn_multiple = 8\n{sizes}\
         {}[train.generator]\nsteps = 2\nbatch_size = 2\ncached_clips = 4\n",
        tiny(),
    );
    Source::parse_text("small", &text).expect("valid TOML").pipeline().expect("known settings")
}

#[rstest]
#[case::paper("paper", Side::Paper)]
#[case::released("released", Side::Released)]
fn both_presets_train(#[case] preset: &str, #[case] side: Side) {
    let pipeline = small(preset);
    let sides = pipeline.preset_sides().expect("TOML");
    assert!(sides.iter().all(|found| found.side == side || found.side == Side::Both), "{sides:?}");
    let folder = tempfile::tempdir().expect("a folder");
    train(pipeline, folder.path(), false).expect("it trains");
    let records = read(&folder.path().join("metrics.jsonl")).expect("metrics");
    let training: Vec<_> = records.iter().filter(|record| record.split == MetricSplit::Train).collect();
    assert_eq!(training.len(), 3 + 2, "steps of the tokenizer and of the generator");
    for record in training {
        assert!(record.values.values().all(|value| value.is_finite()), "{record:?}");
    }
}

/// Of `larp-b`, whose clips are 128 x 128 pixels.
fn protocol_sides(protocol: &str) -> Vec<SettingSide> {
    Protocol::open(protocol).expect("built in").preset_sides(builtin("larp-b", &[VIDEO]).clip).expect("TOML")
}

fn side_of(protocol: &str, key: &str) -> Option<Side> {
    let sides = protocol_sides(protocol);
    sides.iter().find(|side| side.key == key).map(|side| side.side)
}

#[test]
fn the_protocols_of_the_released_code_are_on_its_side() {
    for name in protocol_names().filter(|name| name.starts_with("released-")) {
        let sides = protocol_sides(name);
        let elsewhere: Vec<_> = sides.iter().filter(|side| !matches!(side.side, Side::Released | Side::Both)).collect();
        // item 17 is about UCF-101, and frame prediction has held-out clips; item 8 is about K600, and the others do not resize
        let expected = |side: &SettingSide| match name {
            "released-k600-fp" => side.key == "protocol.split",
            _ => side.item == 8,
        };
        assert!(elsewhere.iter().all(|side| expected(side)), "{elsewhere:?}");
    }
    assert_eq!(side_of("released-k600-fp", "protocol.resize.height"), Some(Side::Released));
}

#[test]
fn held_out_clips_are_on_neither_side() {
    assert_eq!(side_of("held-out", "protocol.split"), Some(Side::Neither));
    // which does not resize: the side of the pictures is the clips' own
    assert_eq!(side_of("held-out", "protocol.resize.height"), Some(Side::Paper));
}
