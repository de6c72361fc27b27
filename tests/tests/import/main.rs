//! Checkpoints of the authors' released code, made of the parity cases, taken over into run folders and written back.

#[path = "../parity/case.rs"]
#[allow(dead_code, reason = "the parity test uses all of it")]
mod case;
#[path = "../common/mod.rs"]
mod common;
mod hub;
mod legacy_pth;
mod refusals;
mod round_trip;
mod sources;
mod values;
