//! What codebook quantizers share: normalisation, look-up, straight-through gradient, losses.

use burn::tensor::activation::{log_softmax, softmax};
use larp_traits::tensor::untracked;
use larp_traits::{Int, LossTerm, Quantized, Tensor};

/// Rows of latents compared with the codebook at once: bounds the `[rows, vocab]` matrix.
const ROWS: usize = 8192;

/// Scales the last axis to length 1; a zero vector stays zero.
pub fn l2_normalize<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    // the clamp stands inside the root, so that the gradient of a zero vector is zero and not NaN
    let norm = tensor.clone().square().sum_dim(D - 1).clamp_min(1e-24).sqrt();
    tensor / norm
}

/// Rows of the codebook.
///
/// # Shapes
/// - codebook: `[vocab, code_dim]`
/// - tokens: `[batch, tokens]`
/// - output: `[batch, tokens, code_dim]`
pub fn lookup(codebook: Tensor<2>, tokens: Tensor<2, Int>) -> Tensor<3> {
    let ([batch, count], dim) = (tokens.dims(), codebook.dims()[1]);
    codebook.select(0, tokens.reshape([batch * count])).reshape([batch, count, dim])
}

/// Chooses a token for each latent, a bounded number of rows at a time, without a gradient.
///
/// # Shapes
/// - latents: `[batch, tokens, code_dim]`
/// - output: `[batch, tokens]`
pub fn choose(latents: &Tensor<3>, mut rows: impl FnMut(Tensor<2>, usize) -> Tensor<1, Int>) -> Tensor<2, Int> {
    let [batch, tokens, dim] = latents.dims();
    let flat = untracked(latents.clone()).reshape([batch * tokens, dim]);
    let parts = flat.split(ROWS, 0).into_iter().enumerate().map(|(index, part)| rows(part, index)).collect();
    Tensor::cat(parts, 0).reshape([batch, tokens])
}

/// Weights of the two losses of a codebook (van den Oord et al., 2017, equation 3).
#[derive(Debug, Clone, Copy)]
pub struct CodebookWeights {
    /// Pulls latents to their codes.
    pub commitment: f64,
    /// Pulls codes to their latents.
    pub codebook: f64,
}

/// Embeddings that pass their gradient straight to the latents, with the losses of the drawn codes (SPEC.md, departure 15).
///
/// # Shapes
/// - latents and codes: `[batch, tokens, code_dim]`
pub fn straight_through(latents: Tensor<3>, codes: Tensor<3>, tokens: Tensor<2, Int>, weights: CodebookWeights) -> Quantized {
    let commitment = (untracked(codes.clone()) - latents.clone()).square().mean();
    let codebook = (codes.clone() - untracked(latents.clone())).square().mean();
    Quantized {
        tokens,
        embeddings: latents.clone() + untracked(codes - latents),
        losses: vec![
            LossTerm { name: "commitment", weight: weights.commitment, value: commitment },
            LossTerm { name: "codebook", weight: weights.codebook, value: codebook },
        ],
    }
}

/// Entropy loss (Yu et al., 2023, MAGVIT-v2, equation 6): each choice should be sure, and all codes should be chosen. The mean entropy
/// of a latent's distribution over the codes, minus the entropy of the mean distribution.
///
/// # Shapes
/// - logits: `[rows, vocab]`, one distribution a latent
pub fn entropy_loss(logits: Tensor<2>) -> Tensor<1> {
    let (probabilities, logs) = (softmax(logits.clone(), 1), log_softmax(logits, 1));
    let of_sample = (probabilities.clone() * logs).sum_dim(1).mean().neg();
    let mean = probabilities.mean_dim(0);
    let of_mean = (mean.clone() * mean.clamp_min(1e-12).log()).sum().neg();
    of_sample - of_mean
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, scalar};

    use super::*;

    #[test]
    fn sure_and_even_choices_have_the_lowest_entropy_loss() {
        let even = Tensor::<2>::from_floats([[50.0, 0.0], [0.0, 50.0]], &cpu());
        let collapsed = Tensor::<2>::from_floats([[50.0, 0.0], [50.0, 0.0]], &cpu());
        let unsure = Tensor::<2>::from_floats([[0.0, 0.0], [0.0, 0.0]], &cpu());
        let values = [even, collapsed, unsure].map(|logits| scalar(entropy_loss(logits)));
        assert!((values[0] + std::f32::consts::LN_2).abs() < 1e-4, "{values:?}");
        assert!(values[1].abs() < 1e-4 && values[2].abs() < 1e-4, "{values:?}");
    }
}
