//! Feature networks of Fréchet distances.

pub mod i3d;
pub mod small3d;
