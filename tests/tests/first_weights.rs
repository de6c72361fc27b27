//! Gains widen the first weights of their layer, and nothing else.

mod common;

use common::larp_tiny;
use larp_runtime::pipeline::Pipeline;
use larp_traits::conformance::compare::parameters;
use larp_traits::tensor::cpu;
use rstest::rstest;

fn weights(pipeline: &Pipeline) -> Vec<(String, Vec<f32>)> {
    parameters(&pipeline.build_tokenizer(&cpu()).expect("it fits"))
}

#[rstest]
#[case::out("bottleneck.out_gain", "project_out.weight")]
#[case::patches("encoder.patch_embedding.gain", "encoder.embed.proj.weight")]
fn a_gain_widens_the_first_weights_of_its_layer_alone(#[case] key: &str, #[case] layer: &str) {
    let [paper, wider] = ["1", "8"].map(|gain| weights(&larp_tiny(&[&format!("{key}={gain}")])));
    assert!(paper.iter().any(|(name, _)| name == layer), "{:?}", paper.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for ((name, paper), (_, wider)) in paper.iter().zip(&wider) {
        let gain = if name == layer { 8.0 } else { 1.0 };
        assert!(paper.iter().zip(wider).all(|(paper, wider)| (paper * gain - wider).abs() <= 1e-6 * gain), "{name}");
    }
}

#[rstest]
#[case("bottleneck.out_gain", "0")]
#[case("bottleneck.out_gain", "nan")]
#[case("encoder.patch_embedding.gain", "-1")]
fn a_gain_is_a_number_above_0(#[case] key: &str, #[case] value: &str) {
    let error = larp_tiny(&[&format!("{key}={value}")]).plan().expect_err("refused").to_string();
    assert!(error.contains(key) && error.contains("above 0"), "{error}");
}
