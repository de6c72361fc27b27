//! The paper's analyses of what a tokenizer learned (appendix B), one file each.
//!
//! ```text
//! repetition        Figure 8        PSNR of clips whose frames repeat: are redundant frames cheap?
//! token-influence   Figure 10       PSNR that is lost when one token is replaced
//! token-heatmap     Figure 11       where and when one token acts
//! ngrams            Figures 12-14   how often the n-grams of token sequences occur
//! class-dominance   Figure 15       how far frequent 2-grams belong to one class (equations 9 and 10)
//! codebook          -               which codes are used, how alike they are, and how that came about in training
//! ```
//!
//! Each writes into one folder: `analysis.json` (a [`Record`]), tables as CSV and pictures. In a run folder, `analysis/NAME`, the page of
//! the run shows them.

mod clips;
mod codebook;
mod dominance;
mod grams;
mod heat;
mod heatmap;
mod influence;
mod ngrams;
mod output;
mod plot;
mod repetition;
mod sequences;

pub use clips::{ClipChoice, names, open_runs};
pub use codebook::{CodebookRequest, codebook};
pub use dominance::{DominanceRequest, class_dominance, class_dominance_scores};
pub use grams::{Grams, Histogram, HistogramSummary, Sequences};
pub use heatmap::{HeatmapRequest, Replacement, token_heatmap};
pub use influence::{InfluenceRequest, token_influence};
pub use ngrams::{NgramRequest, ngrams};
pub use output::{FOLDER, Output, PictureRecord, RECORD, Record, Table};
pub use plot::{Axis, Mark, Plot, Series};
pub use repetition::{RepetitionRequest, repetition};
pub use sequences::{Sampled, SequenceSource, TokenFile};

/// Told how much of the work is done: done, total, and of what.
pub type OnProgress<'a> = &'a mut dyn FnMut(u64, u64, &str);
