//! What was imported gives the numbers of the released code.

use std::path::{Path, PathBuf};

use larp_runtime::device;
use larp_runtime::foreign::Average;
use larp_runtime::use_run::TrainedRun;
use larp_traits::burn::tensor::Int;
use larp_traits::{Condition, Device, Draw, Sampling, Tensor};
use rstest::rstest;
use tempfile::tempdir;

use crate::case::{Case, Values};
use crate::sources::{case, folder_of, pth_of, take_over, tokenizer_for};

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
    let difference = (decoded - case.input::<5>("out.recon_from_tokens", &device)).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-4, "{}: the reconstruction is off by {difference}", case.name);
}

type Make = fn(&Case, &Path) -> (PathBuf, Option<Average>);

#[rstest]
#[case::folder(|case, at| (folder_of(case, at), None))]
#[case::file_of_a_folder(|case, at| (folder_of(case, at).join("model.safetensors"), None))]
#[case::parameters_of_a_pth(|case, at| (pth_of(case, "larp_tokenizer", 1.0, &at.with_extension("pth")), None))]
#[case::average_of_a_pth(|case, at| (pth_of(case, "larp_tokenizer", 0.5, &at.with_extension("pth")), Some(Average::Only)))]
#[case::average_by_decay(
    |case, at| (pth_of(case, "larp_tokenizer", 0.5, &at.with_extension("pth")), Some(Average::Decay("0.999".into())))
)]
fn an_imported_tokenizer_gives_the_tokens_of_the_released_code(
    #[values("tokenizer_svq", "tokenizer_svq_learned_pe", "tokenizer_vq")] name: &str,
    #[case] make: Make,
) {
    let folder = tempdir().expect("a folder");
    let case = case(name);
    let (source, average) = make(&case, &folder.path().join("source"));
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

#[rstest]
fn an_imported_generator_decodes_greedily_as_the_released_code(
    #[values("generator_class_cond", "generator_frame_prediction")] name: &str,
    #[values(false, true)] beside_the_tokenizer: bool,
) {
    let folder = tempdir().expect("a folder");
    let (case, run) = (case(name), folder.path().join("run"));
    let trained = folder.path().join("trained");
    tokenizer_for(&case, &trained);
    let tokenizer = folder.path().join("tokenizer");
    let request = larp_runtime::foreign::ExportRequest {
        run: trained,
        stage: larp_runtime::report::Stage::Tokenizer,
        output: tokenizer.clone(),
    };
    larp_runtime::foreign::export(&request).unwrap_or_else(|error| panic!("{error}"));
    let generator = folder_of(&case, &folder.path().join("generator"));
    let sources: &[&[&Path]] = if beside_the_tokenizer { &[&[&generator, &tokenizer]] } else { &[&[&tokenizer], &[&generator]] };
    for sources in sources {
        take_over(sources, &run, None).unwrap_or_else(|error| panic!("{error}"));
    }

    let device = on_device();
    let run = TrainedRun::open(&run, &device).expect("a run");
    let generator = run.generator().unwrap_or_else(|error| panic!("{error}"));
    let condition = if name == "generator_frame_prediction" {
        assert!(run.classes.is_empty());
        Condition::Prefix(case.ints("in.cond", &device))
    } else {
        assert_eq!((run.classes.len(), run.classes[6].as_str()), (7, "class-006"));
        Condition::Classes(case.ints("in.cond", &device))
    };
    let mut compared = 0;
    for name in case.names("out.greedy") {
        let cfg_scale = name.strip_prefix("out.greedy_cfg").map_or(1.0, |scale| scale.parse().expect("a number"));
        let sampling = Sampling { cfg_scale, ..Default::default() };
        assert_tokens(&case, name, generator.generate(&condition, &sampling, Draw::Deterministic));
        compared += 1;
    }
    assert!(compared > 0);
}
