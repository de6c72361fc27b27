//! Ablations: what a file expands to, and what becomes of its runs.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use larp_runtime::ablate::{
    AblateError, AblationFile, Overrides, Plan, Results, RunState, ablation, ablation_names, csv_text, default_measures, markdown,
};
use larp_runtime::report::read_json;
use rstest::rstest;

const TINY: &str = r#"
name = "tiny"
about = "Two steps each."
base = "larp-tiny"
seeds = [0, 1]
set = [
  "train.tokenizer.steps=2", "train.tokenizer.batch_size=2", "train.generator.steps=2", "train.generator.batch_size=2",
  "train.generator.cached_clips=4", "train.evaluation_clips=2", "train.sample_clips=1", "train.workers=1",
]

[[variant]]
name = "full"

[[variant]]
name = "no prior"
prior = "none"
"#;

fn plan_of(text: &str) -> Result<Plan, AblateError> {
    use larp_plugins as _;
    let file = AblationFile::parse("test.toml", text)?;
    Plan::new(file, Path::new(""), &Overrides::default(), &default_measures())
}

fn changes(plan: &Plan) -> Vec<String> {
    let of = |variant: &larp_runtime::ablate::Variant| {
        let changes: Vec<String> = variant.differences.iter().map(ToString::to_string).collect();
        format!("{}: {}", variant.settings.name, changes.join("; "))
    };
    plan.variants.iter().map(of).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(ablation: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        std::fs::write(folder.path("tiny.toml"), ablation).expect("written");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_larp-cli-under-test"));
        let device = common::device();
        command.args(["ablate", "tiny.toml", "-o", "out", "--device", &device]).args(arguments).current_dir(self.0.path());
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        command
    }

    fn ablate(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("no signal"), text(stdout), text(stderr))
    }

    fn results(&self) -> Results {
        read_json(&self.path("out/results.json")).expect("results")
    }
}

#[test]
fn variants_say_how_they_differ_from_the_base() {
    let more = "[[variant]]\nname = \"vq\"\nquantizer = \"vq\"\n[[variant]]\nname = \"alpha\"\nset = [\"losses.prior=0.5\"]\n";
    let plan = plan_of(&format!("{TINY}{more}")).expect("valid");
    let found = changes(&plan);
    assert_eq!(found[0], "full: ");
    assert_eq!(found[1], "no prior: prior: continuous-ar -> none");
    assert!(found[2].starts_with("vq: quantizer: svq -> vq"), "{}", found[2]);
    assert_eq!(found[3], "alpha: losses.prior: 0.01 -> 0.5");
    assert_eq!(plan.reference(), Some(0));
    let runs: Vec<(usize, u64)> = plan.runs().into_iter().map(|run| (run.variant, run.seed)).collect();
    assert_eq!(runs, [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1), (3, 1)], "all variants of a seed first");
}

#[test]
fn a_variant_that_reuses_weights_has_no_run_of_its_own() {
    let more = "[[variant]]\nname = \"no CFG\"\nreuse = \"full\"\nset = [\"sampling.cfg_scale=1.0\"]\n";
    let plan = plan_of(&format!("{TINY}{more}")).expect("valid");
    assert!(plan.runs().iter().all(|run| run.variant < 2));
    let own = larp_runtime::ablate::SubRun { variant: 2, seed: 1 };
    assert_eq!(plan.weights_of(own).variant, 0);
}

#[rstest]
#[case::unknown_key("[[variant]]\nname = \"a\"\nsett = []", "unknown field `sett`")]
#[case::twice("[[variant]]\nname = \"No Prior\"", "share the folder `no-prior`")]
#[case::unknown_plugin("[[variant]]\nname = \"a\"\nquantizer = \"vqq\"", "variant `a`")]
#[case::unknown_setting("[[variant]]\nname = \"a\"\nset = [\"losses.pryor=1\"]", "did you mean `prior`?")]
#[case::misfit("[[variant]]\nname = \"a\"\ndecoder = \"patchwise\"\nset = [\"encoder.tokens=7\"]", "variant `a`")]
#[case::reuse_of_nothing("[[variant]]\nname = \"a\"\nreuse = \"b\"", "reuses `b`, which is no variant")]
#[case::reuse_of_others(
    "[[variant]]\nname = \"a\"\nreuse = \"full\"\nset = [\"losses.prior=1.0\"]",
    "would train others (losses.prior: 0.01 -> 1.0)"
)]
#[case::plot("[[variant]]\nname = \"a\"\n[plot]\nx = \"encoder.tokns\"", "neither a metric nor a number")]
fn what_cannot_work_is_refused_before_anything_runs(#[case] more: &str, #[case] expected: &str) {
    let error = plan_of(&format!("{TINY}{more}")).expect_err("refused").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn an_unknown_metric_lists_the_known_ones() {
    let text = TINY.replace("base =", "metrics = [\"pnsr\"]\nbase =");
    let error = plan_of(&text).expect_err("refused").to_string();
    assert!(error.contains("no metric `pnsr`; known ones are psnr, "), "{error}");
}

#[test]
fn built_in_ablations_are_valid() {
    let mut lines = Vec::new();
    for name in ablation_names() {
        let plan = plan_of(ablation(name).expect("built in")).unwrap_or_else(|error| panic!("{name}: {error}"));
        lines.push(format!("{name}, base {}, {} runs", plan.file.base, plan.runs().len()));
        lines.extend(changes(&plan).into_iter().map(|line| format!("  {line}")));
    }
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("ablations", lines.join("\n"));
    });
}

#[test]
fn two_variants_with_two_seeds_become_a_table() {
    let plot = "[plot]\nx = \"tokenizer_parameters\"\n";
    let folder = Folder::new(&format!("{TINY}{plot}"));
    let (code, out, err) = folder.ablate(&["--jobs", "2"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("prior: continuous-ar -> none") && out.contains(" ± ") && out.contains("2/2"), "{out}");
    let results = folder.results();
    assert!(results.complete && results.reference.as_deref() == Some("full"));
    let [full, no_prior] = &results.variants[..] else { panic!("two rows") };
    let psnr = &full.estimates["psnr"];
    assert!(psnr.count == 2 && psnr.interval.is_some_and(|(low, high)| low < psnr.mean && psnr.mean < high), "{psnr:?}");
    assert_ne!(full.values("psnr")[0].1, full.values("psnr")[1].1, "seeds differ");
    assert!(full.estimates.contains_key("prior_nll") && !no_prior.estimates.contains_key("prior_nll"));
    assert!(full.x > no_prior.x, "the prior has parameters");
    assert_eq!(no_prior.against_reference["psnr"].count, 2);
    for name in ["report.html", "results.csv", "results.md", "runs/no-prior/seed-1/report.html", "ablation.toml"] {
        assert!(folder.path("out").join(name).is_file(), "{name}");
    }
    // the template engine writes `/` as an entity
    let page = std::fs::read_to_string(folder.path("out/report.html")).expect("a page").replace("&#x2f;", "/");
    assert!(page.contains("<svg") && page.contains("href=\"runs/full/seed-0/report.html\""), "the page");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "it asks nobody for anything");

    // once more: nothing is left to do, and without `--resume` nothing is touched
    let (code, _, err) = folder.ablate(&["--resume"]);
    assert!(code == 0 && err == "4 runs, 4 of them finished already\n", "{err}");
    let (code, _, err) = folder.ablate(&[]);
    assert!(code == 1 && err.contains("`--resume`"), "{err}");
    // another seed is added, other settings are not
    let (code, _, err) = folder.ablate(&["--resume", "--seeds", "0,1,2"]);
    assert!(
        code == 0 && err.starts_with("6 runs, 4 of them finished already\n") && folder.results().variants[0].runs.len() == 3,
        "{err}"
    );
    let (code, _, err) = folder.ablate(&["--resume", "--set", "losses.l1=2.0"]);
    assert!(code == 1 && err.contains("`losses.l1`: 1.0 -> 2.0"), "{err}");
}

#[test]
fn a_variant_that_fails_does_not_stop_the_others() {
    let broken = "[[variant]]\nname = \"broken\"\nset = [\"data={ type = 'video', path = 'nowhere' }\"]\n";
    let folder = Folder::new(&TINY.replacen("[[variant]]", &format!("{broken}\n[[variant]]"), 1));
    let (code, out, err) = folder.ablate(&["--seeds", "0"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("broken, seed 0 failed: ") && out.contains("nowhere"), "{out}");
    let results = folder.results();
    assert!(!results.complete);
    assert!(matches!(&results.variants[0].runs[0].state, RunState::Failed(error) if error.contains("nowhere")));
    assert_eq!([1, 2].map(|row: usize| results.variants[row].finished()), [1, 1]);
    let page = std::fs::read_to_string(folder.path("out/report.html")).expect("a page");
    assert!(page.contains("Failed runs") && page.contains("nowhere"));
}

#[cfg(unix)]
#[rstest]
#[case::interrupted("-INT", Some(130))]
#[case::killed("-KILL", None)]
fn a_stopped_ablation_goes_on_where_it_was(#[case] signal: &str, #[case] expected: Option<i32>) {
    let long = TINY
        .replace("tokenizer.steps=2", "tokenizer.steps=12")
        .replace("workers=1", "workers=1\", \"train.checkpoint_every=1\", \"train.log_every=1");
    let folder = Folder::new(&long);
    let mut child = folder.command(&["--seeds", "0"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
    let checkpoints = folder.path("out/runs/full/seed-0/checkpoints/tokenizer");
    let started = Instant::now();
    while !checkpoints.join("step-00000002").is_dir() {
        assert!(started.elapsed() < Duration::from_secs(300) && child.try_wait().expect("alive").is_none(), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), expected);
    let summary = folder.path("out/runs/full/seed-0/summary.json");
    assert!(
        !std::fs::read_to_string(summary).is_ok_and(|text| text.contains("\"complete\": true")),
        "it was stopped in the middle"
    );

    let (code, out, err) = folder.ablate(&["--seeds", "0", "--resume"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(err.contains("full, seed 0: goes on"), "{err}");
    // the same numbers as a run that was left alone
    let alone = Folder::new(&long);
    assert_eq!(alone.ablate(&["--seeds", "0"]).0, 0);
    let values = |folder: &Folder| folder.results().variants.iter().map(|row| row.values("psnr")).collect::<Vec<_>>();
    assert_eq!(values(&folder), values(&alone));
}

/// Numbers made up by hand, so that the texts do not change with the processor.
fn made_up() -> Results {
    let estimate = |mean: f64, deviation: f64| serde_json::json!({ "count": 3, "mean": mean, "deviation": deviation, "interval": [mean - 2.0 * deviation, mean + 2.0 * deviation] });
    let run = |seed: u64, state: serde_json::Value, values: serde_json::Value| {
        let mut run = serde_json::json!({ "seed": seed, "folder": format!("runs/a/seed-{seed}"), "values": values });
        run.as_object_mut().expect("a map").extend(state.as_object().expect("a map").clone());
        run
    };
    let done = || serde_json::json!({ "state": "finished" });
    let column = |name: &str, title: &str, unit: &str| serde_json::json!({ "name": name, "title": title, "unit": unit });
    serde_json::from_value(serde_json::json!({
        "name": "made-up", "about": "Numbers by hand.", "base": "larp-tiny", "reference": "full", "complete": false,
        "metrics": [column("psnr", "PSNR", "dB"), column("code_usage", "Code usage", "%"), column("prior_nll", "Prior NLL", "nats/token")],
        "variants": [
            {
                "name": "full", "about": "", "differences": [], "reuses": null, "x": null, "series": null,
                "runs": [run(0, done(), serde_json::json!({ "psnr": 20.0 })), run(1, done(), serde_json::json!({ "psnr": 20.5 }))],
                "estimates": { "psnr": estimate(20.25, 0.353), "code_usage": estimate(0.951, 0.0123), "prior_nll": estimate(4.2, 0.1) },
                "against_reference": {},
            },
            {
                "name": "no | prior", "about": "why", "differences": [{ "key": "prior", "from": "continuous-ar", "to": "none" }],
                "reuses": null, "x": null, "series": null,
                "runs": [
                    run(0, done(), serde_json::json!({ "psnr": 21.0 })),
                    run(1, serde_json::json!({ "state": "failed", "error": "out of memory\nat step 3" }), serde_json::json!({})),
                ],
                "estimates": { "psnr": { "count": 1, "mean": 21.0, "deviation": null, "interval": null } },
                "against_reference": { "psnr": { "count": 1, "mean": 1.0, "deviation": null, "interval": null } },
            },
        ],
    }))
    .expect("results")
}

#[test]
fn tables_are_pinned() {
    let results = made_up();
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("ablation-markdown", markdown(&results));
        insta::assert_snapshot!("ablation-csv", csv_text(&results).expect("CSV"));
    });
}
