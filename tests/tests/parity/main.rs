//! Values and gradients of the authors' released code, reproduced.
//!
//! Every case of a folder (`LARP_PARITY_DIR`, by default `tests/data/parity`) is a json file with the released arguments and a
//! safetensors file with parameters, inputs, outputs and gradients; `tests/data/parity/README.md` says what they hold.

mod case;
mod compare;
mod discriminator;
mod frames;
mod generator;
mod tokenizer;

use larp_traits::Device;
use rstest::rstest;

use case::{Case, Kind};

#[rstest]
#[case::flex(larp_traits::tensor::cpu())]
#[cfg_attr(feature = "libtorch", case::libtorch(Device::LibTorch(Default::default())))]
#[cfg_attr(feature = "cuda", case::cuda(Device::Cuda(Default::default())))]
fn parity_with_the_released_code(#[case] device: Device) {
    let cases = Case::load_all(&case::folder()).unwrap_or_else(|problem| panic!("{problem}"));
    let mut failures = Vec::new();
    for case in &cases {
        failures.extend(match case.kind() {
            Kind::Tokenizer => tokenizer::check(case, &device),
            Kind::Generator => generator::check(case, &device),
            Kind::Discriminator => discriminator::check(case, &device),
            Kind::Unknown => vec![format!("{}: its arguments are of no known model", case.name)],
        });
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn parity_in_a_folder_without_cases_is_an_error() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let problem = Case::load_all(&folder).map(drop).expect_err("no case there");
    assert!(problem.contains("no parity cases"), "{problem}");
}
