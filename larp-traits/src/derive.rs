//! What the code of `#[derive(Component)]` refers to; not for use by hand.

pub use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor};

pub use crate::component::Detached;
pub use crate::state::{load_bytes, save_bytes};
pub use crate::tensor::{Backend, Device};
