//! What codebook quantizers share: normalisation, look-up, straight-through gradient, losses.

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
    let flat = latents.clone().detach().reshape([batch * tokens, dim]);
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
    let commitment = (codes.clone().detach() - latents.clone()).square().mean();
    let codebook = (codes.clone() - latents.clone().detach()).square().mean();
    Quantized {
        tokens,
        embeddings: latents.clone() + (codes - latents).detach(),
        losses: vec![
            LossTerm { name: "commitment", weight: weights.commitment, value: commitment },
            LossTerm { name: "codebook", weight: weights.codebook, value: codebook },
        ],
    }
}
