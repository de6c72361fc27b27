//! The checkpoints that the paper's authors published: their names, layouts and arguments.
//!
//! ```text
//! arguments (json) -> settings of the components
//! named tensors    -> KeyMap::import -> tensors under our paths -> fill -> component with those parameters
//! our tensors      -> KeyMap::to_released (gradients, export)
//! ```
//!
//! [`tokenizer`], [`generator`] and [`discriminator`] hold one table each: a line a tensor, with the name there, the path here and what changes
//! between the two. Everything is strict: an unknown name, a shape that does not fit, an argument without an equivalent is an error.

pub mod arguments;
pub mod discriminator;
pub mod error;
pub mod fill;
pub mod generator;
pub mod keys;
pub mod layout;
pub mod settings;
pub mod sizes;
pub mod tokenizer;

pub use arguments::{GeneratorArguments, TokenizerArguments};
pub use discriminator::DiscriminatorArguments;
pub use error::ReleasedError;
pub use fill::fill;
pub use keys::{KeyMap, Mapped};
pub use settings::{GeneratorParts, TokenizerParts};

/// A float tensor on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Released name or dotted path.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}
