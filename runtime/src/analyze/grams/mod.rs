//! Exact counts of n-grams in bounded memory.
//!
//! A table of all 3-grams of a vocabulary of 8192 has 5.5e11 cells, and a million sequences of 1024 tokens hold 1.02e9 3-grams. So
//! they are counted in passes over the sequences (a partition by the leading digit of a radix sort, without temporary files):
//!
//! 1. A first pass counts how many n-grams begin with each token. From then on the size of each bucket, all n-grams that begin with
//!    one token, is known.
//! 2. Buckets are put together up to the memory that is allowed. A pass fills the buckets of one group with what follows the first
//!    token, 4 bytes an n-gram, sorts each bucket and counts runs.
//! 3. A bucket that is larger than the memory on its own, which a collapsed generator makes, becomes a table with a cell for each
//!    continuation; a table that is too large goes in parts. Where one table for everything is small enough (2-grams: 256 MiB), it
//!    is one pass.
//!
//! So memory is bounded whatever the sequences are, and the input is read once for each group: five times for the million above with
//! a gibibyte.

mod count;
mod histogram;
mod plan;

pub use count::Grams;
pub use histogram::{Histogram, HistogramSummary};

use crate::RuntimeError;
use crate::tokens::Tokens;

/// Token sequences that can be gone through several times.
pub trait Sequences {
    /// Number of sequences.
    fn count(&self) -> usize;

    /// Tokens of each.
    fn length(&self) -> usize;

    /// Hands over all sequences in order, some at a time, with the number of the first of them.
    ///
    /// # Errors
    /// When they cannot be read.
    fn scan(&self, visit: &mut dyn FnMut(usize, &[i32])) -> Result<(), RuntimeError>;
}

impl Sequences for Tokens {
    fn count(&self) -> usize {
        self.len()
    }

    fn length(&self) -> usize {
        self.length
    }

    fn scan(&self, visit: &mut dyn FnMut(usize, &[i32])) -> Result<(), RuntimeError> {
        visit(0, &self.values);
        Ok(())
    }
}
