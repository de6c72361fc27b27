//! `continuous-ar`: the continuous autoregressive transformer (paper, section 3.3).
//!
//! A linear layer takes embeddings in, the output is an estimate of the next embedding, and its similarities with all codes are
//! the logits of the next token. Two passes: the second sees a sequence in which some embeddings are replaced by those the first
//! pass would have drawn (scheduled sampling). The first token is never predicted, the codebook has no gradient here, and the
//! labels are the drawn tokens (SPEC.md, departure 14).

use burn::nn::{LayerNorm, Linear};
use burn::tensor::activation::softmax;
use larp_traits::deviation;
use larp_traits::error::positive;
use larp_traits::precision::{linear_float32, matmul};
use larp_traits::prelude::*;

use crate::layers::codes::CODE_STD;
use crate::layers::dropout::dropout;
use crate::layers::gpt::{GptBlock, GptDropout};
use crate::layers::lookup::{l2_normalize, lookup};
use crate::layers::losses::next_token;
use crate::layers::sample::sample_rows;

/// What a predicted embedding is compared with codes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// Cosine, as in SVQ (paper, equation 6).
    #[default]
    Cosine,
    /// Dot product: for codes of different lengths.
    Dot,
}

/// How much of its own predictions the second pass sees (Bengio et al., 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduledSampling {
    /// Share of replaced tokens at the peak; 0 turns the second pass off.
    pub max_ratio: f64,
    /// Share of all steps after which the peak is reached, linearly from 0.
    pub peak: f64,
}

impl Default for ScheduledSampling {
    fn default() -> Self {
        Self { max_ratio: 0.5, peak: 0.3 }
    }
}

impl ScheduledSampling {
    /// Share of replaced tokens at a point of training.
    pub fn ratio(&self, at: Progress) -> f64 {
        let ramp = if self.peak > 0.0 { (at.fraction() / self.peak).min(1.0) } else { 1.0 };
        ramp * self.max_ratio
    }
}

/// Settings of [`ContinuousAr`]; the defaults are the paper's (size S).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContinuousArSettings {
    /// Width of the transformer.
    pub dim: usize,
    /// Number of its blocks.
    pub depth: usize,
    /// Number of its heads.
    pub heads: usize,
    /// How predicted embeddings become logits.
    pub similarity: Similarity,
    /// Divides the similarities: 0.03 in the paper, 1 in the released code (SPEC.md, departure 6).
    pub temperature: f64,
    /// Whether the likelihood moves the codes too; the released code compares with codes that have no gradient (departure 14).
    pub codebook_gradient: bool,
    /// The second pass.
    pub scheduled_sampling: ScheduledSampling,
    /// Dropout while training.
    pub dropout: GptDropout,
}

impl Default for ContinuousArSettings {
    fn default() -> Self {
        Self {
            dim: 384,
            depth: 12,
            heads: 6,
            similarity: Similarity::default(),
            temperature: 0.03,
            codebook_gradient: false,
            scheduled_sampling: ScheduledSampling::default(),
            dropout: GptDropout::default(),
        }
    }
}

register!(
    Prior,
    "continuous-ar",
    ContinuousArSettings,
    "autoregressive transformer on embeddings, with scheduled sampling",
    "LARP, section 3.3"
);
deviation!(6, "temperature of the prior's softmax", ("prior.type", "continuous-ar"), "prior.temperature": "0.03", "1.0");
deviation!(
    10,
    "attention dropout of the prior stays on in evaluation",
    ("prior.type", "continuous-ar"),
    "prior.dropout.attention_in_evaluation": "false", "true"
);
deviation!(
    14,
    "the prior's likelihood moves the codebook (the paper leaves it open)",
    ("prior.type", "continuous-ar"),
    "prior.codebook_gradient": "false", "false"
);

#[typetag::serde(name = "continuous-ar")]
impl PriorSettings for ContinuousArSettings {
    fn build(&self, context: &BuildContext) -> Result<DynPrior, SettingsError> {
        Ok(ContinuousAr::new(self, context)?.into())
    }
}

/// The prior.
#[derive(Component, Debug)]
pub struct ContinuousAr {
    /// `[code_dim, dim]`.
    pub input: Linear<Backend>,
    /// `[tokens, dim]`.
    pub positions: Param<Tensor<2>>,
    /// The transformer.
    pub blocks: Vec<GptBlock>,
    /// After the last block.
    pub norm: LayerNorm<Backend>,
    /// `[dim, code_dim]`.
    pub head: Linear<Backend>,
    #[component(skip)]
    settings: ContinuousArSettings,
}

impl ContinuousAr {
    /// Builds it.
    ///
    /// # Errors
    /// When the settings cannot work, or the quantizer's codes cannot be listed.
    pub fn new(settings: &ContinuousArSettings, context: &BuildContext) -> Result<Self, SettingsError> {
        let (device, dim, code_dim) = (&context.device, settings.dim, context.quantizer.code_dim);
        divides("prior.heads", settings.heads, dim, "prior.dim")?;
        positive("prior.temperature", settings.temperature)?;
        if !context.quantizer.codebook {
            return Err(SettingsError::mismatch(
                "the prior `continuous-ar`, which compares with every code,",
                "the quantizer, whose codes cannot be listed",
                "choose another of the two",
            ));
        }
        if context.latents.tokens < 2 {
            return Err(SettingsError::value("encoder.tokens", context.latents.tokens, "a prior predicts from 2 tokens on"));
        }
        let linear = |inputs, outputs| init::linear(inputs, outputs, true, Init::xavier_uniform(inputs, outputs), device);
        Ok(Self {
            input: linear(code_dim, dim),
            positions: init::param([context.latents.tokens, dim], Init::Normal { std: CODE_STD }, device),
            blocks: (0..settings.depth).map(|_| GptBlock::new(dim, settings.heads, settings.dropout, device)).collect(),
            norm: init::layer_norm(dim, 1e-5, device),
            head: linear(dim, code_dim),
            settings: settings.clone(),
        })
    }

    /// Estimates of the embeddings after the first.
    ///
    /// # Shapes
    /// - embeddings: `[batch, tokens, code_dim]`
    /// - output: `[batch, tokens - 1, code_dim]`
    pub fn predict(&self, embeddings: Tensor<3>, draw: Draw) -> Tensor<3> {
        let known = embeddings.dims()[1] - 1;
        let positions = self.positions.val().slice_dim(0, 0..known).unsqueeze();
        let input = linear_float32(&self.input, embeddings.slice_dim(1, 0..known)) + positions;
        let mut hidden = dropout(input, self.settings.dropout.embedding, draw.fork("embedding"));
        for (index, block) in self.blocks.iter().enumerate() {
            hidden = block.forward(hidden, draw.fork("block").at(index));
        }
        let predicted = linear_float32(&self.head, self.norm.forward(hidden));
        match self.settings.similarity {
            Similarity::Cosine => l2_normalize(predicted),
            Similarity::Dot => predicted,
        }
    }

    /// Logits of the next tokens.
    ///
    /// # Shapes
    /// - predicted: `[batch, tokens - 1, code_dim]`
    /// - codebook: `[vocab, code_dim]`
    /// - output: `[batch, tokens - 1, vocab]`
    pub fn logits(&self, predicted: Tensor<3>, codebook: Tensor<2>) -> Tensor<3> {
        let codebook = if self.settings.codebook_gradient { codebook } else { untracked(codebook) };
        let codes = match self.settings.similarity {
            Similarity::Cosine => l2_normalize(codebook),
            Similarity::Dot => codebook,
        };
        matmul(predicted, codes.transpose().unsqueeze()).div_scalar(self.settings.temperature)
    }

    /// The sequence of the second pass: embedding `i + 1` is that of `drawn[i]` where `replaced[i]` is not 0.
    ///
    /// # Shapes
    /// - embeddings and output: `[batch, tokens, code_dim]`
    /// - codebook: `[vocab, code_dim]`
    /// - drawn and replaced: `[batch, tokens - 1]`
    pub fn mix(&self, embeddings: Tensor<3>, codebook: Tensor<2>, drawn: Tensor<2, Int>, replaced: Tensor<2, Int>) -> Tensor<3> {
        let [batch, tokens, dim] = embeddings.dims();
        let drawn = lookup(untracked(codebook), drawn);
        let replaced = replaced.greater_elem(0).unsqueeze_dim::<3>(2).expand([batch, tokens - 1, dim]);
        let first = embeddings.clone().slice_dim(1, 0..1);
        Tensor::cat(vec![first, embeddings.slice_dim(1, 1..tokens).mask_where(replaced, drawn)], 1)
    }
}

impl Prior for ContinuousAr {
    fn nll(&self, sequence: &Quantized, codebook: Tensor<2>, at: Progress, draw: Draw) -> PriorLoss {
        let [batch, tokens] = sequence.tokens.dims();
        let labels = sequence.tokens.clone().slice_dim(1, 1..tokens);
        let embeddings = sequence.embeddings.clone();
        let logits = self.logits(self.predict(embeddings.clone(), draw.fork("first pass")), codebook.clone());
        let first = next_token(logits.clone(), labels.clone());
        let ratio = self.settings.scheduled_sampling.ratio(at);
        let (Draw::Stream(stream), true) = (draw, self.settings.scheduled_sampling.max_ratio > 0.0) else {
            return PriorLoss { nll: first.nll, accuracy: first.accuracy };
        };
        let vocab = logits.dims()[2];
        let probabilities = softmax(untracked(logits).reshape([batch * (tokens - 1), vocab]), 1);
        let drawn = sample_rows(probabilities, draw.fork("next tokens")).reshape([batch, tokens - 1]);
        let replaced = stream.fork("scheduled sampling").uniform([batch, tokens - 1], &embeddings.device()).lower_elem(ratio);
        let mixed = self.mix(embeddings, codebook.clone(), drawn, replaced.int());
        let logits = self.logits(self.predict(mixed, draw.fork("second pass")), codebook);
        let second = next_token(logits, labels);
        PriorLoss { nll: (first.nll + second.nll).mul_scalar(0.5), accuracy: first.accuracy }
    }
}
