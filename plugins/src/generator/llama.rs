//! `llama`: a Llama-like transformer on tokens with learned absolute positions (paper, section 4.1 and appendix A.2).
//!
//! Class-conditional: one `[cls]` vector a class, and one for no class, goes before the tokens. Frame prediction: tokens of the given
//! frames and a `[sep]` token go before them; there is no guidance, as in the released code.

use burn::nn::{Embedding, Linear, RmsNorm};
use burn::tensor::TensorData;
use burn::tensor::activation::softmax;
use larp_traits::deviation;
use larp_traits::precision::linear_float32;
use larp_traits::prelude::*;

use crate::layers::codes::CODE_STD;
use crate::layers::dropout::dropout;
use crate::layers::filter::filter_logits;
use crate::layers::llama::{KvCache, LlamaBlock, LlamaBlockConfig, swiglu_hidden};
use crate::layers::losses::next_token;
use crate::layers::sample::sample_rows;

/// What sequences are generated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A class.
    #[default]
    ClassConditional,
    /// The first frames of the clip.
    FramePrediction,
}

/// Settings of [`Llama`]; the defaults are size LP (632M parameters), the paper's default generator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LlamaSettings {
    /// Width.
    pub dim: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Number of heads.
    pub heads: usize,
    /// The width within the SwiGLU is rounded up to a multiple of this.
    pub ffn_multiple: usize,
    /// What sequences are generated from.
    pub task: Task,
    /// Frame prediction: how many frames are given.
    pub condition_frames: usize,
    /// Frame prediction: how the tokens of the given frames are chosen when clips are predicted; training takes the argmax. The
    /// released code draws them (SPEC.md, departure 9).
    pub condition_tokens: ConditionTokens,
    /// Frame prediction: length of the prefix with its separator; 0 is the tokens of a clip and the separator.
    pub prefix_tokens: usize,
    /// Dropout on token embeddings.
    pub token_dropout: f64,
    /// Dropout on what the attention of a block adds.
    pub residual_dropout: f64,
    /// Dropout on what the feed-forward layer of a block adds.
    pub ffn_dropout: f64,
    /// Share of classes that training replaces by "no class", for classifier-free guidance.
    pub class_dropout: f64,
}

impl Default for LlamaSettings {
    fn default() -> Self {
        Self {
            dim: 1280,
            depth: 30,
            heads: 20,
            ffn_multiple: 256,
            task: Task::default(),
            condition_frames: 5,
            condition_tokens: ConditionTokens::default(),
            prefix_tokens: 0,
            token_dropout: 0.1,
            residual_dropout: 0.1,
            ffn_dropout: 0.1,
            class_dropout: 0.1,
        }
    }
}

register!(
    Generator,
    "llama",
    LlamaSettings,
    "Llama-like transformer on tokens, class-conditional with guidance or predicting frames",
    "LARP, section 4.1 and appendix A.2; Touvron et al., 2023"
);
deviation!(
    9,
    "how the tokens of given frames are chosen when clips are predicted (the paper leaves it open; argmax is as in training)",
    ("generator.task", "frame-prediction"),
    "generator.condition_tokens": "'argmax'", "'drawn'"
);

#[typetag::serde(name = "llama")]
impl GeneratorSettings for LlamaSettings {
    fn build(&self, context: &BuildContext) -> Result<DynGenerator, SettingsError> {
        if self.task == Task::FramePrediction {
            let frames = context.video.frames;
            if !(1..frames).contains(&self.condition_frames) {
                let expected = format!("at least 1 and fewer than the {frames} frames of a clip");
                return Err(SettingsError::value("generator.condition_frames", self.condition_frames, expected));
            }
            let prefix = context.latents.tokens + 1;
            if ![0, prefix].contains(&self.prefix_tokens) {
                let expected = format!("0, or {prefix}: the tokens of a clip and the separator");
                return Err(SettingsError::value("generator.prefix_tokens", self.prefix_tokens, expected));
            }
        }
        Ok(Llama::new(self, context)?.into())
    }
}

/// The generator.
#[derive(Component, Debug)]
pub struct Llama {
    /// `[classes + 1, dim]`, the last for no class; none for frame prediction.
    pub classes: Option<Embedding<Backend>>,
    /// `[vocab, dim]`, one more for frame prediction: the separator.
    pub tokens: Embedding<Backend>,
    /// `[prefix + tokens - 1, dim]`.
    pub positions: Param<Tensor<2>>,
    /// The blocks, first to last.
    pub blocks: Vec<LlamaBlock>,
    /// After the last block.
    pub norm: RmsNorm<Backend>,
    /// `[dim, vocab]`.
    pub output: Linear<Backend>,
    sequence: usize,
    prefix: usize,
    no_class: usize,
    separator: usize,
    #[component(skip)]
    settings: LlamaSettings,
}

impl Llama {
    /// Builds it.
    ///
    /// # Errors
    /// When the settings cannot work.
    pub fn new(settings: &LlamaSettings, context: &BuildContext) -> Result<Self, SettingsError> {
        let (dim, device) = (settings.dim, &context.device);
        divides("generator.heads", settings.heads, dim, "generator.dim")?;
        if settings.ffn_multiple == 0 {
            return Err(SettingsError::value("generator.ffn_multiple", 0, "at least 1"));
        }
        let (sequence, vocab) = (context.latents.tokens, context.quantizer.vocab_size);
        let from_frames = settings.task == Task::FramePrediction;
        let prefix = match (from_frames, settings.prefix_tokens) {
            (false, _) => 1,
            (true, 0) => sequence + 1,
            (true, length) => length,
        };
        let config = LlamaBlockConfig {
            dim,
            heads: settings.heads,
            hidden: swiglu_hidden(dim, settings.ffn_multiple),
            residual_dropout: settings.residual_dropout,
            ffn_dropout: settings.ffn_dropout,
        };
        let normal = || Init::Normal { std: CODE_STD };
        Ok(Self {
            classes: (!from_frames).then(|| init::embedding(context.classes + 1, dim, normal(), device)),
            tokens: init::embedding(vocab + usize::from(from_frames), dim, normal(), device),
            positions: init::param([prefix + sequence - 1, dim], normal(), device),
            blocks: (0..settings.depth).map(|_| LlamaBlock::new(config, device)).collect(),
            norm: init::rms_norm(dim, 1e-5, device),
            output: init::linear(dim, vocab, false, Init::Zeros, device),
            sequence,
            prefix,
            no_class: context.classes,
            separator: vocab,
            settings: settings.clone(),
        })
    }

    /// Logits of every token of sequences.
    ///
    /// # Shapes
    /// - tokens: `[batch, tokens]`; the last one is not looked at
    /// - output: `[batch, tokens, vocab]`
    pub fn logits(&self, tokens: Tensor<2, Int>, condition: &Condition, draw: Draw) -> Tensor<3> {
        let count = tokens.dims()[1];
        let known = self.tokens.forward(tokens.slice_dim(1, 0..count - 1));
        let input = Tensor::cat(vec![self.prefix(condition, draw.fork("class")), known], 1);
        let length = input.dims()[1];
        let input = dropout(input, self.settings.token_dropout, draw.fork("token"));
        let mut hidden = input + self.positions.val().slice_dim(0, 0..length).unsqueeze();
        for (index, block) in self.blocks.iter().enumerate() {
            hidden = block.forward(hidden, draw.fork("block").at(index));
        }
        linear_float32(&self.output, self.norm.forward(hidden.slice_dim(1, self.prefix - 1..length)))
    }

    /// Embeddings before the tokens, `[batch, prefix, dim]`.
    fn prefix(&self, condition: &Condition, draw: Draw) -> Tensor<3> {
        let device = self.positions.val().device();
        let none = |batch: usize| Tensor::<1, Int>::full([batch], self.no_class as i64, &device);
        let classes = match (condition, &self.classes) {
            (Condition::Frames(tokens), None) => {
                let separator = Tensor::full([tokens.dims()[0], 1], self.separator as i64, &device);
                return self.tokens.forward(Tensor::cat(vec![tokens.clone(), separator], 1));
            }
            (Condition::Classes(classes), Some(_)) => classes.clone(),
            (Condition::Unconditional(batch), Some(_)) => none(*batch),
            (Condition::Frames(_), Some(_)) => panic!("a class-conditional generator takes classes, not frames"),
            (_, None) => panic!("a frame prediction generator takes frames, not classes"),
        };
        let batch = classes.dims()[0];
        let classes = match draw {
            Draw::Stream(stream) if self.settings.class_dropout > 0.0 => {
                let dropped = stream.uniform([batch], &device).lower_elem(self.settings.class_dropout);
                classes.mask_where(dropped, none(batch))
            }
            _ => classes,
        };
        let table = self.classes.as_ref().expect("there with every condition that comes here");
        table.forward(classes.unsqueeze_dim(1))
    }

    /// Logits of the token after the last of `input`, `[batch, vocab]`.
    fn step(&self, input: Tensor<3>, from: usize, caches: &mut [KvCache]) -> Tensor<2> {
        let count = input.dims()[1];
        let mut hidden = input + self.positions.val().slice_dim(0, from..from + count).unsqueeze();
        for (block, cache) in self.blocks.iter().zip(caches) {
            hidden = block.step(hidden, cache);
        }
        let last = hidden.slice_dim(1, count - 1..count).squeeze_dim::<2>(1);
        linear_float32(&self.output, self.norm.forward(last))
    }
}

/// Filtered probabilities at a temperature.
///
/// # Shapes
/// - logits and output: `[rows, vocab]`
pub fn probabilities(logits: Tensor<2>, sampling: &Sampling) -> Tensor<2> {
    let logits = logits.div_scalar(sampling.temperature.max(1e-5));
    if sampling.top_k == 0 && sampling.top_p >= 1.0 {
        return softmax(logits, 1);
    }
    let (shape, device) = (logits.dims(), logits.device());
    let mut values = to_host(logits);
    values.chunks_mut(shape[1]).for_each(|row| filter_logits(row, sampling.top_k, sampling.top_p));
    softmax(Tensor::from_data(TensorData::new(values, shape), &device), 1)
}

impl Generator for Llama {
    fn condition(&self) -> ConditionKind {
        let LlamaSettings { task, condition_frames: frames, condition_tokens: tokens, .. } = self.settings;
        match task {
            Task::ClassConditional => ConditionKind::Class,
            Task::FramePrediction => ConditionKind::Frames(FrameCondition { frames, tokens }),
        }
    }

    fn nll(&self, tokens: Tensor<2, Int>, condition: &Condition, draw: Draw) -> GeneratorLoss {
        let loss = next_token(self.logits(tokens.clone(), condition, draw), tokens);
        GeneratorLoss { nll: loss.nll, accuracy: loss.accuracy }
    }

    fn generate(&self, condition: &Condition, sampling: &Sampling, draw: Draw) -> Tensor<2, Int> {
        let batch = condition.batch();
        let guided = sampling.cfg_scale != 1.0 && matches!(condition, Condition::Classes(_));
        let mut input = self.prefix(condition, Draw::Deterministic);
        if guided {
            // both halves in one batch: with the class, then without
            input = Tensor::cat(vec![input, self.prefix(&Condition::Unconditional(batch), Draw::Deterministic)], 0);
        }
        let mut caches = vec![KvCache::default(); self.blocks.len()];
        let mut position = 0;
        let mut generated = Vec::with_capacity(self.sequence);
        for index in 0..self.sequence {
            let count = input.dims()[1];
            let mut logits = self.step(input, position, &mut caches);
            position += count;
            if guided {
                let (with, without) = (logits.clone().slice_dim(0, 0..batch), logits.slice_dim(0, batch..2 * batch));
                logits = without.clone() + (with - without).mul_scalar(sampling.cfg_scale);
            }
            let token = match draw {
                Draw::Deterministic => logits.argmax(1),
                Draw::Stream(_) => sample_rows(probabilities(logits, sampling), draw.at(index)).unsqueeze_dim(1),
            };
            input = self.tokens.forward(if guided { token.clone().repeat_dim(0, 2) } else { token.clone() });
            generated.push(token);
        }
        Tensor::cat(generated, 1)
    }
}
