//! Models that other programs trained: how a plugin crate says which of them it understands.
//!
//! A plugin crate submits a [`Layout`]: how its settings are read from the other program's, and what its tensors are called there.
//! Import and export go through the list of layouts and name none of them.
//!
//! ```text
//! their settings ─ read ──> sections of a pipeline file, names ─ to_ours ──> parameters under our paths
//! our sections   ─ write ─> their settings, names              ─ to_theirs > tensors under their names
//! ```

use std::fmt;

use serde_json::{Map, Value};

/// A float tensor on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Its name there, or its dotted path here.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// Which of the two models of a pipeline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForeignPart {
    /// Encoder, projections, quantizer, decoder and prior.
    Tokenizer,
    /// The model of tokens.
    Generator,
}

impl fmt::Display for ForeignPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ForeignPart::Tokenizer => "tokenizer",
            ForeignPart::Generator => "generator",
        })
    }
}

/// Why a foreign model, or a tensor of it, has no equivalent.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ForeignError(Box<dyn std::error::Error + Send + Sync>);

impl ForeignError {
    /// An error of the layout's own.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// What the tensors of one model are called there and here.
pub trait Names: Send + Sync {
    /// A tensor of theirs under our path and in our layout; `None` for one that we compute, once it is found equal.
    ///
    /// # Errors
    /// When such a model has no tensor of this name or shape.
    fn to_ours(&self, tensor: NamedTensor) -> Result<Option<NamedTensor>, ForeignError>;

    /// A parameter of ours under their name and in their layout.
    ///
    /// # Errors
    /// When such a model has no parameter of this path or shape.
    fn to_theirs(&self, tensor: NamedTensor) -> Result<NamedTensor, ForeignError>;

    /// The tensors that they save and we compute.
    fn computed(&self) -> Vec<NamedTensor>;

    /// Whether a tensor of theirs is called so.
    fn knows(&self, name: &str) -> bool;
}

/// What a generator is told of the tokenizer and the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Tokens of a clip.
    pub tokens: usize,
    /// Distinct tokens.
    pub vocab_size: usize,
    /// Classes of the data; 0 where there are none.
    pub classes: usize,
}

/// A model of theirs in our words.
pub struct ForeignModel {
    /// Which model it is.
    pub part: ForeignPart,
    /// Sections of a pipeline file: `clip`, `encoder`, `bottleneck`, `quantizer`, `decoder` and `prior`; or `generator`.
    pub sections: Map<String, Value>,
    /// For a generator: what its tokenizer and its data must be like.
    pub sequence: Option<Sequence>,
    /// Its tensors.
    pub names: Box<dyn Names>,
}

/// A model of ours in their words.
pub struct ExportedModel {
    /// Their settings.
    pub settings: Value,
    /// Its tensors.
    pub names: Box<dyn Names>,
}

/// What of a pipeline is to be written.
pub struct ExportRequest<'a> {
    /// Which model.
    pub part: ForeignPart,
    /// Sections of the resolved pipeline.
    pub sections: &'a Map<String, Value>,
    /// Its tokens and classes.
    pub sequence: Sequence,
}

/// Where in a file of settings and tensors a model lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Their settings.
    pub settings: Value,
    /// What the names of its tensors begin with.
    pub prefix: String,
    /// Averages of the parameters over training: decay, and what their names begin with.
    pub averages: Vec<(String, String)>,
}

/// The shape of a tensor of theirs: settings do not say everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorShape {
    /// Its name there.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
}

/// A way of another program to save models.
pub struct Layout {
    /// Its name.
    pub name: &'static str,
    /// One line of help.
    pub summary: &'static str,
    /// Finds a model in the plain values of a training checkpoint.
    pub find: fn(&Value) -> Option<Checkpoint>,
    /// Whether settings are of this layout, and of which model.
    pub recognises: fn(&Value) -> Option<ForeignPart>,
    /// Their settings in our words.
    pub read: fn(&Value, &[TensorShape]) -> Result<ForeignModel, ForeignError>,
    /// Our settings in their words.
    pub write: fn(&ExportRequest<'_>) -> Result<ExportedModel, ForeignError>,
}

inventory::collect!(Layout);

/// The layouts of this program, by name.
pub fn layouts() -> Vec<&'static Layout> {
    let mut layouts: Vec<_> = inventory::iter::<Layout>.into_iter().collect();
    layouts.sort_by_key(|layout| layout.name);
    layouts
}
