//! The checkpoints that the paper's authors published: their names, layouts and arguments.
//!
//! ```text
//! arguments (json) -> settings of the components
//! named tensors    -> KeyMap::import -> tensors under our paths -> fill -> component with those parameters
//! our tensors      -> KeyMap::to_released (gradients, export)
//! our settings     -> arguments (export); `foreign` offers all of it to import and export
//! ```
//!
//! [`tokenizer`], [`generator`] and [`discriminator`] hold one table each: a line a tensor, with the name there, the path here and what changes
//! between the two. Everything is strict: an unknown name, a shape that does not fit, an argument without an equivalent is an error.

pub mod arguments;
pub mod discriminator;
pub mod error;
pub mod fill;
mod foreign;
pub mod generator;
pub mod keys;
pub mod layout;
pub mod settings;
pub mod sizes;
pub mod tokenizer;
mod write;

pub use arguments::{GeneratorArguments, TokenizerArguments};
pub use discriminator::DiscriminatorArguments;
pub use error::ReleasedError;
pub use fill::fill;
pub use keys::{KeyMap, Mapped};
pub use larp_traits::foreign::NamedTensor;
pub use settings::{GeneratorParts, TokenizerParts};
