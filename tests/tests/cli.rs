//! What the program prints: help, lists, tables and errors are pinned by snapshots.

use std::path::Path;
use std::process::Command;

use rstest::rstest;
use tempfile::TempDir;

const TINY: [&str; 8] = [
    "train.tokenizer.steps=2",
    "train.tokenizer.batch_size=2",
    "train.generator.steps=2",
    "train.generator.batch_size=2",
    "train.generator.cached_clips=4",
    "train.evaluation_clips=2",
    "train.sample_clips=1",
    "train.workers=1",
];

/// Runs the program in a folder; gives exit code, standard output and standard error as one text.
fn larp(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = outputs(folder, arguments);
    let section = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
    format!("exit {code}\n{}{}", section("stdout", &out), section("stderr", &err))
}

fn outputs(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_larp-cli-under-test"))
        .args(arguments)
        .current_dir(folder)
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        // no weights are there, and the paths in messages are the same everywhere
        .env("XDG_CACHE_HOME", "/nowhere/cache")
        .env_remove("RUST_LOG")
        .output()
        .expect("the program starts");
    // the name is this test's alone
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("larp-cli-under-test", "larp-cli");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn empty() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn pin(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots/cli", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

/// A run of two steps a stage.
fn run_folder() -> TempDir {
    let folder = empty();
    let set = TINY.iter().flat_map(|text| ["--set", text]);
    let arguments: Vec<&str> = ["demo", "--run", "run"].into_iter().chain(set).collect();
    let (code, out, err) = outputs(folder.path(), &arguments);
    assert!(code == 0 && out.contains("for each clip's mean frame") && out.contains("run/report.html"), "{out}{err}");
    folder
}

#[rstest]
#[case::all("help", "")]
#[case::demo("help-demo", "demo")]
#[case::plugins("help-plugins", "plugins")]
#[case::plugins_list("help-plugins-list", "plugins list")]
#[case::plugins_describe("help-plugins-describe", "plugins describe")]
#[case::plugins_new("help-plugins-new", "plugins new")]
#[case::compose("help-compose", "compose")]
#[case::inspect("help-inspect", "inspect")]
#[case::train("help-train", "train")]
#[case::ablate("help-ablate", "ablate")]
#[case::tokenize("help-tokenize", "tokenize")]
#[case::reconstruct("help-reconstruct", "reconstruct")]
#[case::generate("help-generate", "generate")]
#[case::predict("help-predict", "predict")]
#[case::import("help-import", "import")]
#[case::export("help-export", "export")]
#[case::analyze("help-analyze", "analyze")]
#[case::analyze_repetition("help-analyze-repetition", "analyze repetition")]
#[case::analyze_token_influence("help-analyze-token-influence", "analyze token-influence")]
#[case::analyze_token_heatmap("help-analyze-token-heatmap", "analyze token-heatmap")]
#[case::analyze_ngrams("help-analyze-ngrams", "analyze ngrams")]
#[case::analyze_class_dominance("help-analyze-class-dominance", "analyze class-dominance")]
#[case::analyze_codebook("help-analyze-codebook", "analyze codebook")]
#[case::data("help-data", "data")]
#[case::data_check("help-data-check", "data check")]
#[case::doctor("help-doctor", "doctor")]
#[case::completions("help-completions", "completions")]
fn help_is_pinned(#[case] name: &str, #[case] command: &str) {
    let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
    pin(name, &larp(empty().path(), &arguments));
}

#[rstest]
#[case::plugins("plugins-list", "plugins list")]
#[case::plugins_of_a_kind("plugins-list-quantizer", "plugins list --kind quantizer")]
#[case::plugins_json("plugins-list-json", "plugins list --json")]
#[case::encoder_holistic("describe-encoder-holistic", "plugins describe encoder/holistic")]
#[case::encoder_patchwise("describe-encoder-patchwise", "plugins describe encoder/patchwise")]
#[case::quantizer_svq("describe-quantizer-svq", "plugins describe quantizer/svq")]
#[case::quantizer_vq("describe-quantizer-vq", "plugins describe quantizer/vq")]
#[case::decoder_holistic("describe-decoder-holistic", "plugins describe decoder/holistic")]
#[case::decoder_patchwise("describe-decoder-patchwise", "plugins describe decoder/patchwise")]
#[case::prior("describe-prior-continuous-ar", "plugins describe prior/continuous-ar")]
#[case::generator("describe-generator-llama", "plugins describe generator/llama")]
#[case::perceptual("describe-perceptual-lpips-vgg", "plugins describe perceptual/lpips-vgg")]
#[case::larp_tiny("inspect-larp-tiny", "inspect larp-tiny")]
#[case::patchwise_tiny("inspect-patchwise-tiny", "inspect patchwise-tiny")]
#[case::frame_prediction_tiny("inspect-frame-prediction-tiny", "inspect frame-prediction-tiny")]
#[case::larp_s("inspect-larp-s", "inspect larp-s")]
#[case::larp_b("inspect-larp-b", "inspect larp-b")]
#[case::larp_l("inspect-larp-l", "inspect larp-l")]
#[case::inspect_json("inspect-larp-tiny-json", "inspect larp-tiny --json")]
fn lists_and_tables_are_pinned(#[case] name: &str, #[case] command: &str) {
    let arguments: Vec<&str> = command.split_whitespace().collect();
    pin(name, &larp(empty().path(), &arguments));
}

#[rstest]
#[case::unknown_plugin("error-plugin", "plugins describe quantizer/vqq")]
#[case::unknown_kind("error-kind", "plugins describe quantiser/vq")]
#[case::plugin_without_kind("error-plugin-without-kind", "plugins describe svq")]
#[case::unknown_pipeline("error-pipeline", "inspect larp-tny")]
#[case::unknown_part("error-compose-part", "compose --generator lama")]
#[case::misfit_tokens("error-token-counts", "compose --decoder patchwise --set encoder.tokens=100")]
#[case::given_frames("error-condition-frames", "inspect frame-prediction-tiny --set generator.condition_frames=8")]
#[case::misfit_patches("error-patch-size", "inspect larp-b --set clip.height=100")]
#[case::unknown_set_key("error-set-key", "train larp-tiny --run run --set train.tokenizer.stps=3")]
#[case::missing_weights("error-weights", "train larp-s --run run")]
#[case::wrong_kind_of_part("error-part", "inspect larp-tiny --set perceptual=3")]
#[case::malformed_set("error-set", "train larp-tiny --run run --set train.seed")]
#[case::unknown_device("error-device", "train larp-tiny --run run --device tpu")]
#[case::unknown_data("error-data", "train larp-tiny --run run --data nowhere")]
#[case::unknown_ablation("error-ablation", "ablate tabel2")]
#[case::missing_argument("error-usage", "train larp-tiny")]
#[case::missing_run("error-run", "generate --run nowhere -o out")]
#[case::missing_source("error-import", "import no/such/folder -o run")]
#[case::missing_path("error-path", "data check nowhere")]
#[case::analyze_no_run("error-analyze-run", "analyze repetition nowhere")]
#[case::analyze_no_file("error-analyze-source", "analyze ngrams nowhere")]
#[case::analyze_no_clips("error-analyze-clips", "analyze codebook nowhere --clips 0")]
#[case::bad_plugin_name("error-new-plugin", "plugins new quantizer Best_One")]
fn errors_say_what_to_do(#[case] name: &str, #[case] command: &str) {
    let folder = empty();
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let text = larp(folder.path(), &arguments);
    // which devices there are is the build's affair
    let text =
        text.lines().map(|line| line.split_once("; this build has: ").map_or(line, |(before, _)| before).to_owned() + "\n");
    pin(name, &text.collect::<String>());
    assert_eq!(folder.path().read_dir().expect("a folder").count(), 0, "nothing was left behind");
}

#[test]
fn a_dry_run_tells_the_costs_and_leaves_nothing() {
    let folder = empty();
    let set = TINY.iter().flat_map(|text| ["--set", text]);
    let arguments: Vec<&str> = ["train", "larp-tiny", "--dry-run"].into_iter().chain(set).collect();
    let (code, out, err) = outputs(folder.path(), &[&arguments[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    assert_eq!((code, json["stages"].as_array().map(Vec::len)), (0, Some(2)), "{out}");
    let total: f64 =
        json["stages"].as_array().into_iter().flatten().filter_map(|stage| stage["estimated_seconds"].as_f64()).sum();
    assert!((total - json["estimated_seconds"].as_f64().expect("a number")).abs() < 1e-9 && total > 0.0, "{out}");
    for stage in json["stages"].as_array().expect("a list") {
        assert!(stage["losses"].as_array().is_some_and(|losses| losses.iter().all(|loss| loss.is_f64())), "{stage}");
        assert!(stage["step_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{stage}");
        // the model and the two moments of its optimiser alone
        let least = 12 * stage["parameters"].as_u64().expect("a count");
        assert!(!cfg!(target_os = "linux") || stage["peak_bytes"].as_u64().is_some_and(|bytes| bytes > least), "{stage}");
    }
    assert_eq!(json["stages"][1]["tokenizing"]["clips"], 6, "those to learn from and those held out");
    let (code, out, err) = outputs(folder.path(), &[&arguments[..], &["--stage", "tokenizer"]].concat());
    assert!(code == 0 && out.contains("peak memory") && out.contains("encoder") && !out.contains("to tokenize"), "{out}{err}");
    assert_eq!(folder.path().read_dir().expect("a folder").count(), 0, "nothing was left behind");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let folder = empty();
    let (_, text, _) = outputs(folder.path(), &["compose"]);
    std::fs::write(folder.path().join("mine.toml"), text.replacen("depth", "dpeth", 1)).expect("written");
    pin("error-key", &larp(folder.path(), &["inspect", "mine.toml"]));
}

#[test]
fn a_composed_pipeline_is_written_and_works() {
    let folder = empty();
    let arguments = "compose --base larp-s --quantizer vq --prior none --set train.seed=7 -o mine.toml";
    pin("compose", &larp(folder.path(), &arguments.split_whitespace().collect::<Vec<_>>()));
    pin("compose-file", &std::fs::read_to_string(folder.path().join("mine.toml")).expect("written"));
    assert_eq!(outputs(folder.path(), &["inspect", "mine.toml"]).0, 0);
}

#[test]
fn a_run_is_used() {
    let folder = run_folder();
    let generate = |out: &str| outputs(folder.path(), &["generate", "--run", "run", "--class", "1", "--count", "2", "-o", out]);
    let (code, out, err) = generate("a");
    assert!(code == 0 && out.lines().filter(|line| line.ends_with(".gif")).count() == 2, "{out}{err}");
    let first = folder.path().join(out.lines().next().expect("a file"));
    generate("b");
    let again = folder.path().join("b").join(first.file_name().expect("a name"));
    assert_eq!(std::fs::read(&first).expect("written"), std::fs::read(again).expect("written"), "one seed, one clip");

    // a GIF needs no FFmpeg; the damaged one is left out
    std::fs::write(folder.path().join("a/damaged.gif"), "GIF89a").expect("written");
    let first = first.to_string_lossy();
    let (code, out, err) = outputs(folder.path(), &["reconstruct", "--run", "run", &first, "a/damaged.gif", "--json", "-o", "c"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    assert!(
        code == 0 && json["clips"][0]["psnr"].is_f64() && json["left_out"].as_array().is_some_and(|list| list.len() == 1),
        "{out}"
    );
    assert!(err.contains("damaged.gif"), "{err}");
    assert_eq!(outputs(folder.path(), &["reconstruct", "--run", "run", "a/damaged.gif", "-o", "c"]).0, 1);

    let (code, out, err) = outputs(folder.path(), &["tokenize", "--run", "run", &first, "-o", "tokens.safetensors"]);
    assert!(code == 0 && out == "tokens.safetensors: tokens [1, 32]\n", "{out}{err}");
    let bytes = std::fs::read(folder.path().join("tokens.safetensors")).expect("written");
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("safetensors");
    let metadata = header.metadata().as_ref().expect("metadata");
    assert_eq!((metadata["start_frames"].as_str(), metadata["step"].as_str()), ("[0]", "2"));
    assert!(metadata["names"].contains(".gif"), "{metadata:?}");

    pin("error-predict-of-classes", &larp(folder.path(), &["predict", "--run", "run", &first, "-o", "out"]));
    pin("error-class", &larp(folder.path(), &["generate", "--run", "run", "--class", "nothing", "-o", "out"]));
    pin("error-sampling", &larp(folder.path(), &["generate", "--run", "run", "--top-p", "2", "-o", "out"]));
    pin("error-run-there", &larp(folder.path(), &["demo", "--run", "run"]));
    pin("error-run-changed", &larp(folder.path(), &["train", "patchwise-tiny", "--run", "run", "--resume", "--set", TINY[0]]));
}

#[test]
fn a_run_is_analysed_and_its_page_shows_it() {
    let folder = run_folder();
    let analyze = |command: &str| {
        let arguments: Vec<&str> = ["analyze"].into_iter().chain(command.split_whitespace()).collect();
        let (code, out, err) = outputs(folder.path(), &arguments);
        assert_eq!(code, 0, "{command}: {out}{err}");
        out
    };
    let out = analyze("repetition run run --clips 2 --json");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    let levels = json["result"][1]["levels"].as_array().expect("levels");
    let frames: Vec<_> = levels.iter().filter_map(|level| level["unique_frames"].as_u64()).collect();
    assert!(frames == [8, 4, 2, 1] && json["result"][0]["levels"] == json["result"][1]["levels"], "{out}");

    let out = analyze("token-influence run --clips 2 --seed 3");
    assert!(out.contains("run/analysis/token-influence/token-influence.csv") && out.ends_with("run/report.html\n"), "{out}");
    let drops = std::fs::read_to_string(folder.path().join("run/analysis/token-influence/token-influence.csv")).expect("written");
    assert_eq!((drops.lines().next(), drops.lines().count()), (Some("clip,token,psnr_drop"), 65));
    analyze("token-heatmap run --clips 2 --token 5 --replace-by random");
    analyze("codebook run --clips 4");

    // the second time from the file that the first one kept
    analyze("ngrams run --count 48 --below 4");
    let kept = "run/analysis/ngrams/tokens-0.safetensors";
    let histogram = std::fs::read_to_string(folder.path().join("run/analysis/ngrams/2-grams.csv")).expect("written");
    let numbers = |line: &str| line.split(',').skip(1).map(|cell| cell.parse::<u64>().expect("a number")).product::<u64>();
    assert_eq!(histogram.lines().skip(1).map(numbers).sum::<u64>(), 48 * 31, "{histogram}");
    let out = analyze(&format!("ngrams {kept} -o again --memory 1 --json"));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    assert_eq!(json["result"][1]["occurrences"], 48 * 30, "{out}");
    let again = std::fs::read_to_string(folder.path().join("again/2-grams.csv")).expect("written");
    assert_eq!(again.replace("tokens-0.safetensors", "run"), histogram);
    analyze(&format!("class-dominance {kept} run --count 24 --threshold 1 -o dominance"));
    assert!(folder.path().join("dominance/class-dominance.svg").is_file());

    let page = std::fs::read_to_string(folder.path().join("run/report.html")).expect("written");
    for part in ["Repeated frames", "Influence of single tokens", "Where and when a token acts", "n-grams of", "Codebook"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("data:image/svg+xml;base64,") && !page.contains("could not be shown"));

    let error = |name: &str, command: &str| {
        let arguments: Vec<&str> = ["analyze"].into_iter().chain(command.split_whitespace()).collect();
        pin(name, &larp(folder.path(), &arguments));
    };
    error("error-analyze-token", "token-heatmap run --token 32");
    let refused = larp(folder.path(), &["analyze", "class-dominance", kept, "--threshold", "100000", "-o", "out"]);
    assert!(refused.contains("occurs 100000 times") && refused.contains("lower the threshold"), "{refused}");
    error("error-analyze-no-output", &format!("ngrams {kept}"));
    error("error-analyze-file", "ngrams run/report.html -o out");
}

#[test]
fn a_run_predicts() {
    let folder = empty();
    let set = TINY.iter().flat_map(|text| ["--set", text]);
    let arguments: Vec<&str> = ["train", "frame-prediction-tiny", "--run", "run"].into_iter().chain(set).collect();
    let (code, out, err) = outputs(folder.path(), &arguments);
    assert!(code == 0 && out.contains("for a copy of the last given frame"), "{out}{err}");

    // a clip of 8 frames, two of them in one picture side by side
    let clip = "run/samples/tokenizer/step-00000002/clip-00.gif";
    let predict = |more: &[&str]| {
        let arguments = [&["predict", "--run", "run", clip, "-o", "out"][..], more].concat();
        outputs(folder.path(), &arguments)
    };
    let (code, out, err) = predict(&["--json", "--given", "kept", "--frames", "3", "--temperature", "0.5", "--seed", "7"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    let first = &json["clips"][0];
    assert!(code == 0 && first["given_frames"] == 3 && first["score"]["prediction_psnr"].is_f64(), "{out}");
    assert_eq!(json["mean_last_frame_psnr"], first["score"]["last_frame_psnr"], "{out}");
    assert!(err.contains("trained with 4 given frames, not 3"), "{err}");
    for file in first["files"].as_array().expect("files") {
        assert!(folder.path().join(file.as_str().expect("a path")).is_file(), "{file}");
    }
    assert!(folder.path().join("out/000-clip-00.png").is_file());
    let (code, out, err) = predict(&[]);
    assert!(code == 0 && out.contains("last frame"), "{out}{err}");

    pin("error-generate-of-frames", &larp(folder.path(), &["generate", "--run", "run", "-o", "out"]));
    pin("error-predict-frames", &larp(folder.path(), &["predict", "--run", "run", clip, "--frames", "8", "-o", "out"]));
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_a_checkpoint_and_exits_with_130() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = empty();
    let set =
        |steps| [&["--set", steps][..], &["--set", "train.log_every=1"], &["--set", "train.tokenizer.batch_size=1"]].concat();
    let arguments =
        [&["train", "larp-tiny", "--run", "run", "--stage", "tokenizer"][..], &set("train.tokenizer.steps=100000")].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_larp-cli-under-test"))
        .args(&arguments)
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    lines.find(|line| line.starts_with("tokenizer 2/")).expect("it trains");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(rest.iter().any(|line| line.starts_with("saved run")), "{rest:?}");
    assert!(rest.last().is_some_and(|line| line.contains("--resume")), "{rest:?}");
}
