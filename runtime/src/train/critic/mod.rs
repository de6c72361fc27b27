//! Adversarial training: a critic beside the tokenizer (paper, appendix A.1).
//!
//! ```text
//! every k steps: clips, reconstructions of the frozen tokenizer -> critic_loss + LeCam + R1 -> the critic's optimiser
//! every step:    reconstructions -> frozen critic -> tokenizer_loss, weighted -> the tokenizer's optimiser
//! ```
//!
//! An update of the critic comes before the tokenizer's step on the same clips, as in the released code.

mod adversary;
mod balance;
mod lecam;
mod losses;
mod r1;

pub use lecam::LeCam;
pub use losses::{Logits, critic_loss, tokenizer_loss};
pub use r1::{GradientPenalty, gradient_penalty};

pub(super) use adversary::{Adversary, Pair};
pub(super) use balance::{Opposition, opposed};
