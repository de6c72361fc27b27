//! What does not fit is refused, with all that is wrong, and leaves nothing behind.

use std::fs;
use std::path::Path;
use std::process::Command;

use larp_plugins::released::NamedTensor;
use larp_runtime::foreign::{ExportRequest, export};
use larp_runtime::report::Stage;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::case::Case;
use crate::common::{larp_tiny, train};
use crate::sources::{case, folder_of, take_over, tokenizer_for, write_folder};

fn refusal(sources: &[&Path], run: &Path) -> String {
    let error = take_over(sources, run, None).expect_err("refused").to_string();
    assert!(!run.exists(), "nothing is written");
    error
}

#[test]
fn every_tensor_that_does_not_fit_is_listed() {
    let folder = tempdir().expect("a folder");
    let case = case("tokenizer_svq");
    let mut tensors = case.floats("state.");
    tensors.retain(|tensor| tensor.name != "x_embedder.proj.bias");
    for tensor in &mut tensors {
        if tensor.name == "final_layer.norm_final.bias" {
            tensor.shape = vec![4, tensor.values.len() / 4];
        }
    }
    tensors.push(NamedTensor { name: "encoder.rope".into(), shape: vec![1], values: vec![0.0] });
    let source = write_folder(&folder.path().join("a"), Some(&case.info["model"]), &tensors);
    let error = refusal(&[&source], &folder.path().join("run"));
    for expected in [
        "do not fit its settings",
        "unexpected tensor `encoder.rope`",
        "`x_embedder.proj.bias` is missing",
        "`final_layer.norm_final.bias` has shape [4, 8] here; expected [32]",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}

fn with(case: &Case, key: &str, value: Value) -> Value {
    let mut config = case.info["model"].clone();
    config[key] = value;
    config
}

#[rstest]
#[case::unknown_argument("tokenizer_svq", "patchsize", json!(8), "unknown field `patchsize`")]
#[case::no_equivalent("tokenizer_svq", "use_encoder_patch_token_type_embed", json!(true), "only patch queries have a type vector")]
#[case::grey("tokenizer_svq", "in_channels", json!(1), "clips have 3 colours")]
#[case::other_model("tokenizer_svq", "bottleneck", json!("none"), "are of no known layout; known: larp-released")]
fn settings_that_have_no_equivalent_are_named(
    #[case] name: &str,
    #[case] key: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let folder = tempdir().expect("a folder");
    let case = case(name);
    let source = write_folder(&folder.path().join("a"), Some(&with(&case, key, value)), &case.floats("state."));
    let error = refusal(&[&source], &folder.path().join("run"));
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_generator_needs_a_tokenizer_of_its_tokens_and_codes() {
    let folder = tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let tokenizer = folder_of(&case("tokenizer_svq"), &at("tokenizer"));
    let generator = folder_of(&case("generator_class_cond"), &at("generator"));
    let error = refusal(&[&generator], &at("run"));
    assert!(error.contains("is a generator, which needs its tokenizer"), "{error}");
    let error = refusal(&[&tokenizer, &generator], &at("run"));
    assert!(error.contains("it has 20 tokens, and the tokenizer has 24"), "{error}");
    let error = refusal(&[&generator, &generator], &at("run"));
    assert!(error.ends_with("are a generator; name one of each"), "{error}");
}

#[test]
fn a_prefix_that_is_no_clip_is_refused() {
    let folder = tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let case = case("generator_frame_prediction");
    tokenizer_for(&case, &at("trained"));
    let request = ExportRequest { run: at("trained"), stage: Stage::Tokenizer, output: at("tokenizer") };
    export(&request).unwrap_or_else(|error| panic!("{error}"));
    let error = refusal(&[&at("tokenizer"), &folder_of(&case, &at("generator"))], &at("run"));
    assert!(error.contains("`generator.prefix_tokens` is 9; 0, or 21"), "{error}");
}

#[test]
fn a_run_with_other_classes_does_not_get_the_generator() {
    let folder = tempdir().expect("a folder");
    let run = folder.path().join("run");
    let case = case("generator_class_cond");
    tokenizer_for(&case, &run);
    let generator = folder_of(&case, &folder.path().join("generator"));
    let error = take_over(&[&generator], &run, None).expect_err("refused").to_string();
    assert!(error.contains("it has 7 classes, and the run has 12"), "{error}");
    let error = take_over(&[&folder_of(&crate::sources::case("tokenizer_svq"), &folder.path().join("a"))], &run, None);
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("there is a run in it already"), "{error}");
}

#[test]
fn a_pth_that_holds_a_command_is_refused_by_its_name() {
    let folder = tempdir().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../larp-traits/tests/data/weights/command.pth");
    let error = refusal(&[&source], &folder.path().join("run"));
    assert!(error.contains("holds `posix.system`, which is neither a tensor nor a plain value"), "{error}");
}

#[test]
fn a_pipeline_without_equivalent_is_not_exported() {
    let folder = tempdir().expect("a folder");
    let run = folder.path().join("run");
    let set = [
        "train.tokenizer.steps=0",
        "train.generator.steps=0",
        "train.generator.cached_clips=2",
        "train.evaluation_clips=2",
        "bottleneck.out_gain=8",
        "encoder.patch_embedding={ gain = 6.0, centred = true }",
        "quantizer.entropy_weight=0.3",
    ];
    train(larp_tiny(&set), &run, false).expect("it starts");
    let request = ExportRequest { run, stage: Stage::Tokenizer, output: folder.path().join("out") };
    let error = export(&request).expect_err("refused").to_string();
    for expected in [
        "`bottleneck.norm` = \"act-norm\"",
        "`encoder.patch_embedding.centred` = true",
        "`quantizer.entropy_weight` = 0.3",
        "`prior.heads` = 2",
    ] {
        assert!(error.contains(expected), "{error}");
    }
    // trained weights do not know how wide they started
    assert!(!error.contains("gain"), "{error}");
    assert!(!request.output.exists());
}

#[test]
fn the_commands_work_one_after_the_other() {
    let folder = tempdir().expect("a folder");
    folder_of(&case("tokenizer_svq"), &folder.path().join("released"));
    let frames = folder.path().join("clip");
    fs::create_dir_all(&frames).expect("a folder");
    for frame in 0..8 {
        // a picture that any decoder reads: 2 x 2 pixels of a bitmap
        fs::write(frames.join(format!("{frame}.bmp")), bitmap(frame * 20)).expect("written");
    }
    let larp = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_larp-cli-under-test"));
        let output = command.args(arguments.split(' ')).current_dir(folder.path()).output().expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let out = larp("import released -o run");
    assert!(out.starts_with("tokenizer: ") && out.contains(" parameters, of released\nrun\n"), "{out}");
    let out = larp("inspect run");
    assert!(out.starts_with("released\n") && out.contains("24 tokens of 48 codes") && out.contains("0 classes"), "{out}");
    let out = larp("tokenize --run run clip -o tokens.safetensors");
    assert_eq!(out, "tokens.safetensors: tokens [1, 24]\n");
    let out = larp("reconstruct --run run clip -o pictures --json");
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert!(json["clips"][0]["psnr"].is_f64(), "{out}");
    let out = larp("export --run run -o again");
    assert!(out.contains("again/model.safetensors: ") && out.contains("layout larp-released"), "{out}");
}

fn bitmap(value: u8) -> Vec<u8> {
    let (width, height) = (32u32, 32u32);
    let data = vec![value; (width * height * 3) as usize];
    let mut file = b"BM".to_vec();
    file.extend((54 + data.len() as u32).to_le_bytes());
    file.extend([0; 4]);
    file.extend(54u32.to_le_bytes());
    file.extend(40u32.to_le_bytes());
    file.extend(width.to_le_bytes());
    file.extend(height.to_le_bytes());
    file.extend([1, 0, 24, 0]);
    file.extend([0; 24]);
    file.extend(data);
    file
}
