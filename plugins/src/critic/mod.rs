//! Critics.

pub mod vit;
