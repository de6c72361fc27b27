//! Tokens of given frames on the runtime's way, against those of the released code.

use larp_plugins::released::{TokenizerArguments, fill, tokenizer};
use larp_runtime::model::Tokenizer;
use larp_runtime::predict::condition_tokens;
use larp_traits::prelude::*;
use rstest::rstest;

use crate::case::{Case, folder};

// released code: LARPTokenizer.encode(repeat_to_m_frames(video[:, :, :given], m=8))["bottleneck_rep"] with deterministic
// quantization, on the parameters and the video of the case `tokenizer_svq`
const THREE_GIVEN: [[i64; 24]; 2] = [
    [11, 38, 18, 6, 11, 18, 18, 21, 41, 32, 38, 3, 19, 17, 25, 24, 41, 32, 42, 17, 17, 17, 18, 41],
    [11, 38, 18, 6, 11, 18, 18, 21, 41, 32, 38, 3, 19, 17, 38, 24, 41, 32, 42, 17, 17, 17, 18, 41],
];
const FIVE_GIVEN: [[i64; 24]; 2] = [
    [11, 38, 18, 6, 6, 18, 18, 21, 41, 32, 38, 3, 19, 17, 25, 24, 41, 32, 42, 17, 17, 17, 18, 24],
    [11, 38, 18, 46, 11, 18, 18, 21, 41, 32, 38, 3, 19, 17, 38, 24, 41, 32, 41, 17, 17, 17, 18, 41],
];

fn load(case: &Case, device: &Device) -> Tokenizer {
    let arguments: TokenizerArguments = serde_json::from_value(case.info["model"].clone()).expect("released arguments");
    let mut state = case.floats("state.");
    state.retain(|tensor| !tensor.name.starts_with("prior_model."));
    let arguments = TokenizerArguments { prior_model: Default::default(), ..arguments };
    let parts = arguments.parts(&state).expect("supported");
    let context = parts.context(device).expect("sizes that fit");
    let encoder = parts.encoder.build(&context).expect("built");
    let linear = |inputs, outputs| init::linear(inputs, outputs, true, Init::Zeros, device);
    let model = Tokenizer {
        project_in: linear(encoder.latents().dim, parts.code_dim),
        encoder,
        norm: None,
        quantizer: parts.quantizer.build(&context).expect("built"),
        project_out: linear(parts.code_dim, parts.decoder.dim),
        decoder: parts.decoder.build(&context).expect("built"),
        prior: None,
    };
    let parameters = tokenizer::keys(&arguments).import(state).expect("known tensors");
    fill(model, parameters).expect("every parameter")
}

#[rstest]
#[case::three_of_eight(3, THREE_GIVEN)]
#[case::five_of_eight(5, FIVE_GIVEN)]
fn parity_of_the_tokens_of_given_frames(#[case] given: usize, #[case] expected: [[i64; 24]; 2]) {
    let cases = Case::load_all(&folder()).unwrap_or_else(|problem| panic!("{problem}"));
    let Some(case) = cases.iter().find(|case| case.name == "tokenizer_svq") else {
        println!("another folder of cases: there is no `tokenizer_svq`");
        return;
    };
    let model = load(case, &cpu()).no_grad();
    let tokens = condition_tokens(&model, case.input("in.video", &cpu()), given, Draw::Deterministic);
    assert_eq!(ints_to_host(tokens), expected.concat());
}
