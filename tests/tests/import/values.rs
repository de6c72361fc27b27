//! What was imported gives the numbers of the released code.

use std::path::{Path, PathBuf};

use larp_plugins::generator::llama::Llama;
use larp_plugins::released::{GeneratorArguments, fill, generator};
use larp_runtime::device;
use larp_runtime::foreign::{Average, ExportRequest, export};
use larp_runtime::report::Stage;
use larp_runtime::use_run::TrainedRun;
use larp_traits::burn::tensor::Int;
use larp_traits::prelude::*;
use larp_traits::{ConditionKind, ConditionTokens, FrameCondition};
use rstest::rstest;
use tempfile::tempdir;

use crate::case::{Case, Values};
use crate::sources::{case, folder_of, generator_folder, generator_parts, pth_of, take_over, tokenizer_for};

fn on_device() -> Device {
    device::parse(&crate::common::device()).expect("a device")
}

fn assert_tokens(case: &Case, name: &str, found: Tensor<2, Int>) {
    let found = found.into_data().convert::<i64>().into_vec::<i64>().expect("ints");
    match case.get(name) {
        Some((_, Values::Ints(expected))) => assert_eq!(&found, expected, "{}: {name}", case.name),
        _ => panic!("{}: no `{name}`", case.name),
    }
}

/// What `tokenize` calls, on the clip of the case: files hold 8 bits a colour, the case has floats.
fn tokenizer_agrees(case: &Case, run: &Path) {
    let device = on_device();
    let run = TrainedRun::open(run, &device).expect("a run");
    let quantized = run.tokenizer.quantize(case.input("in.video", &device), Draw::Deterministic);
    assert_tokens(case, "out.tokens", quantized.tokens.clone());
    let decoded: Tensor<5> = run.tokenizer.decode_tokens(quantized.tokens);
    let difference = (decoded - case.input::<5>("out.recon_from_tokens", &device)).abs().max();
    let difference = larp_traits::tensor::scalar(difference);
    assert!(difference < 1e-4, "{}: the reconstruction is off by {difference}", case.name);
}

/// The forms in which a model is published.
#[derive(Debug, Clone, Copy)]
enum Form {
    Folder,
    FileOfAFolder,
    Pth,
    AverageOfAPth,
    AverageByDecay,
}

impl Form {
    fn make(self, case: &Case, at: &Path) -> (PathBuf, Option<Average>) {
        let pth = |off| pth_of(case, "larp_tokenizer", off, &at.with_extension("pth"));
        match self {
            Form::Folder => (folder_of(case, at), None),
            Form::FileOfAFolder => (folder_of(case, at).join("model.safetensors"), None),
            Form::Pth => (pth(1.0), None),
            Form::AverageOfAPth => (pth(0.5), Some(Average::Only)),
            Form::AverageByDecay => (pth(0.5), Some(Average::Decay("0.999".into()))),
        }
    }
}

#[rstest]
fn an_imported_tokenizer_gives_the_tokens_of_the_released_code(
    #[values("tokenizer_svq", "tokenizer_svq_learned_pe", "tokenizer_vq")] name: &str,
    #[values(Form::Folder, Form::FileOfAFolder, Form::Pth, Form::AverageOfAPth, Form::AverageByDecay)] form: Form,
) {
    let folder = tempdir().expect("a folder");
    let case = case(name);
    let (source, average) = form.make(&case, &folder.path().join("source"));
    let run = folder.path().join("run");
    let imported = take_over(&[&source], &run, average.clone()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(imported[0].origin.average, average.map(|_| "0.999".to_owned()));
    tokenizer_agrees(&case, &run);
}

#[test]
fn the_parameters_of_a_pth_are_not_its_average() {
    let folder = tempdir().expect("a folder");
    let source = pth_of(&case("tokenizer_svq"), "larp_tokenizer", 0.5, &folder.path().join("a.pth"));
    let (a, b) = (folder.path().join("parameters"), folder.path().join("average"));
    take_over(&[&source], &a, None).expect("imported");
    take_over(&[&source], &b, Some(Average::Only)).expect("imported");
    assert_ne!(crate::common::weights(&a, "tokenizer", 0), crate::common::weights(&b, "tokenizer", 0));
}

/// A run of a generator case and a tokenizer of as many tokens and codes, imported at once or one after the other.
fn run_with_generator(case: &Case, folder: &Path, at_once: bool) -> PathBuf {
    let at = |name: &str| folder.join(name);
    tokenizer_for(case, &at("trained"));
    let request = ExportRequest { run: at("trained"), stage: Stage::Tokenizer, output: at("tokenizer") };
    export(&request).unwrap_or_else(|error| panic!("{error}"));
    let (tokenizer, generator) = (at("tokenizer"), generator_folder(case, &at("generator")));
    let sources: &[&[&Path]] = if at_once { &[&[&generator, &tokenizer]] } else { &[&[&tokenizer], &[&generator]] };
    for sources in sources {
        take_over(sources, &at("run"), None).unwrap_or_else(|error| panic!("{error}"));
    }
    at("run")
}

#[rstest]
fn an_imported_generator_decodes_greedily_as_the_released_code(#[values(false, true)] at_once: bool) {
    let folder = tempdir().expect("a folder");
    let case = case("generator_class_cond");
    let device = on_device();
    let run = TrainedRun::open(&run_with_generator(&case, folder.path(), at_once), &device).expect("a run");
    assert_eq!((run.classes.len(), run.classes[6].as_str()), (7, "class-006"));
    let generator = run.generator().unwrap_or_else(|error| panic!("{error}"));
    let condition = Condition::Classes(case.ints("in.cond", &device));
    let mut compared = 0;
    for name in case.names("out.greedy") {
        let cfg_scale = name.strip_prefix("out.greedy_cfg").map_or(1.0, |scale| scale.parse().expect("a number"));
        let sampling = Sampling { cfg_scale, ..Default::default() };
        assert_tokens(&case, name, generator.generate(&condition, &sampling, Draw::Deterministic));
        compared += 1;
    }
    assert!(compared > 0);
}

/// Its values are those of the parity test's own way to build it, which the released code's numbers check.
#[test]
fn an_imported_frame_predictor_is_the_generator_of_its_tensors() {
    let folder = tempdir().expect("a folder");
    let case = case("generator_frame_prediction");
    let device = on_device();
    let run = TrainedRun::open(&run_with_generator(&case, folder.path(), true), &device).expect("a run");
    assert!(run.classes.is_empty());
    let imported = run.generator().unwrap_or_else(|error| panic!("{error}"));
    let expected = FrameCondition { frames: 5, tokens: ConditionTokens::Drawn };
    assert_eq!(imported.condition(), ConditionKind::Frames(expected));

    let (config, tensors) = generator_parts(&case);
    let arguments: GeneratorArguments = serde_json::from_value(config).expect("arguments");
    let parts = arguments.parts().expect("settings");
    let direct = Llama::new(&parts.generator, &parts.context(&device)).expect("it builds");
    let direct = fill(direct, generator::keys(&arguments).import(tensors).expect("its tensors")).expect("they fit");
    let tokens: Tensor<2, Int> = case.ints("in.tokens", &device);
    let condition = Condition::Frames(tokens);
    let decode = |generator: &dyn Generator| {
        let sampling = Sampling { cfg_scale: 1.0, ..Default::default() };
        generator
            .generate(&condition, &sampling, Draw::Deterministic)
            .into_data()
            .convert::<i64>()
            .into_vec::<i64>()
            .expect("ints")
    };
    assert_eq!(decode(&*imported), decode(&direct));
}
