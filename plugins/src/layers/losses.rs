//! Cross-entropy of next tokens.

use burn::tensor::activation::log_softmax;
use larp_traits::tensor::untracked;
use larp_traits::{Int, Tensor};

/// Mean negative log-likelihood in nats, and the share of labels ranked first.
#[derive(Debug, Clone)]
pub struct NextToken {
    /// `[1]`.
    pub nll: Tensor<1>,
    /// `[1]`, without a gradient.
    pub accuracy: Tensor<1>,
}

/// # Shapes
/// - logits: `[batch, tokens, vocab]`
/// - labels: `[batch, tokens]`
pub fn next_token(logits: Tensor<3>, labels: Tensor<2, Int>) -> NextToken {
    let best = untracked(logits.clone()).argmax(2).squeeze_dim::<2>(2);
    let accuracy = best.equal(labels.clone()).float().mean();
    let chosen = log_softmax(logits, 2).gather(2, labels.unsqueeze_dim(2));
    NextToken { nll: chosen.mean().neg(), accuracy }
}
