//! The suite passes a quantizer without faults and finds the faults that it is there for.

use std::panic::catch_unwind;

use larp_traits::burn::tensor::Distribution;
use larp_traits::conformance::{self, Trial, check};
use larp_traits::prelude::*;

/// What is wrong with the quantizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    None,
    CutGradient,
    DeadParameter,
    TokenTooLarge,
    OtherEmbeddings,
    OwnRandomness,
    KeepsGraph,
    StartsEarly,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FlawedSettings {
    codes: usize,
    fault: Fault,
}

impl Default for FlawedSettings {
    fn default() -> Self {
        Self { codes: 32, fault: Fault::None }
    }
}

#[typetag::serde(name = "flawed")]
impl QuantizerSettings for FlawedSettings {
    fn shape(&self, code_dim: usize) -> Result<QuantizerShape, SettingsError> {
        Ok(QuantizerShape { vocab_size: self.codes, code_dim, codebook: true })
    }

    fn build(&self, context: &BuildContext) -> Result<DynQuantizer, SettingsError> {
        let codebook = init::param([self.codes, context.quantizer.code_dim], Init::Normal { std: 1.0 }, &context.device);
        if self.fault == Fault::StartsEarly {
            codebook.val();
        }
        let extra = (self.fault == Fault::DeadParameter).then(|| init::param([1], Init::Zeros, &context.device));
        let hidden = init::param([1], Init::Ones, &context.device);
        Ok(Flawed { codebook, extra, hidden, fault: self.fault }.into())
    }
}

register!(Quantizer, "flawed", FlawedSettings, "a quantizer with a fault", "");

#[derive(Component, Debug)]
struct Flawed {
    codebook: Param<Tensor<2>>,
    extra: Option<Param<Tensor<1>>>,
    #[component(skip)]
    hidden: Param<Tensor<1>>,
    #[component(skip)]
    fault: Fault,
}

impl Quantizer for Flawed {
    fn quantize(&self, latents: Tensor<3>, _: Draw) -> Quantized {
        let [batch, length, dim] = latents.dims();
        let flat = untracked(latents.clone()).reshape([batch * length, dim]);
        let mut tokens = matmul(flat, untracked(self.codebook.val()).transpose()).argmax(1).reshape([batch, length]);
        let chosen = self.dequantize(tokens.clone());
        let mut embeddings = latents.clone() + untracked(chosen.clone() - latents.clone());
        let mut value = (chosen - untracked(latents)).powi_scalar(2).mean();
        match self.fault {
            Fault::CutGradient => value = untracked(value),
            Fault::TokenTooLarge => tokens = tokens + self.vocab_size() as i64,
            Fault::OtherEmbeddings => embeddings = embeddings + 0.01,
            Fault::OwnRandomness => embeddings = embeddings.clone() + embeddings.random_like(Distribution::Default),
            Fault::KeepsGraph => embeddings = embeddings * self.hidden.val().reshape([1, 1, 1]),
            Fault::None | Fault::StartsEarly | Fault::DeadParameter => {}
        }
        if let Some(extra) = &self.extra {
            value = value + extra.val() * 0.0;
        }
        Quantized { tokens, embeddings, losses: vec![LossTerm { name: "codebook", weight: 1.0, value }] }
    }

    fn dequantize(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, length] = tokens.dims();
        self.codebook.val().select(0, tokens.flatten(0, 1)).reshape([batch, length, self.code_dim()])
    }

    fn vocab_size(&self) -> usize {
        self.codebook.lazy_shape()[0]
    }

    fn code_dim(&self) -> usize {
        self.codebook.lazy_shape()[1]
    }

    fn codebook(&self) -> Option<Tensor<2>> {
        Some(self.codebook.val())
    }
}

larp_traits::conformance!(faultless: Quantizer, "flawed");
larp_traits::conformance!(few_codes: Quantizer, "flawed", "codes = 5");

/// The panic message of a behaviour's test with this fault.
fn found(fault: &str, behaviour: fn(&Trial<conformance::Quantizer>)) -> String {
    let settings = format!("fault = \"{fault}\"");
    let panic = catch_unwind(|| check("flawed", &settings, behaviour)).expect_err("the fault is found");
    panic.downcast::<String>().map_or_else(|_| "a panic without a message".into(), |message| *message)
}

#[test]
fn a_cut_gradient_names_the_parameter() {
    let message = found("cut-gradient", conformance::gradients::gradients_reach_every_parameter);
    assert!(message.contains("`codebook` (the graph is cut)"), "{message}");
}

#[test]
fn a_parameter_without_effect_is_found() {
    let message = found("dead-parameter", conformance::gradients::gradients_reach_every_parameter);
    assert!(message.ends_with("reaches `extra` (zero throughout)"), "{message}");
}

#[test]
fn a_token_beyond_the_vocabulary_is_found() {
    let message = found("token-too-large", conformance::quantizer::tokens_are_in_range);
    assert!(message.contains("expected 0 to 31"), "{message}");
}

#[test]
fn embeddings_that_tokens_do_not_give_are_found() {
    let message = found("other-embeddings", conformance::quantizer::tokens_give_the_embeddings_back);
    assert!(message.contains("`dequantize(tokens)`"), "{message}");
}

#[test]
fn randomness_from_elsewhere_is_found() {
    let message = found("own-randomness", conformance::draws::a_stream_repeats);
    assert!(message.contains("value 0 of `embeddings`"), "{message}");
}

#[test]
fn a_graph_in_inference_is_found() {
    let message = found("keeps-graph", conformance::gradients::a_model_without_gradients_keeps_no_graph);
    assert!(message.contains("`embeddings` of quantizer `flawed`"), "{message}");
}

#[test]
fn a_parameter_started_by_build_is_found() {
    let message = found("starts-early", conformance::start::building_starts_no_parameter);
    assert!(message.contains("[\"codebook\"]"), "{message}");
}

#[test]
fn an_unknown_setting_of_the_test_itself_is_refused() {
    let panic = catch_unwind(|| check("flawed", "colour = 3", |_: &Trial<conformance::Quantizer>| {})).expect_err("refused");
    let message = panic.downcast::<String>().expect("a message");
    assert!(message.contains("colour"), "{message}");
}
