//! Checkpoints of other programs, in and out.
//!
//! ```text
//! folder, file or hub id ─ source ─> settings, tensors ─ model ─> sections, parameters ─ import ─> run folder
//! run folder ─ export ─> config.json, model.safetensors
//! ```
//!
//! How another program names and shapes things is known to the layouts that plugin crates register; none is named here.

mod error;
mod export;
mod hub;
mod import;
mod model;
mod source;
mod tensors;

pub use error::ImportError;
pub use export::{ExportRequest, Exported, export};
pub use import::{ImportRequest, Imported, import};
pub use source::Average;

use larp_traits::foreign::ForeignPart;

use crate::report::Stage;

fn stage_of(part: ForeignPart) -> Stage {
    match part {
        ForeignPart::Tokenizer => Stage::Tokenizer,
        ForeignPart::Generator => Stage::Generator,
    }
}

fn part_of(stage: Stage) -> ForeignPart {
    match stage {
        Stage::Tokenizer => ForeignPart::Tokenizer,
        Stage::Generator => ForeignPart::Generator,
    }
}
