//! What codebook quantizers share: normalisation, look-up, straight-through gradient, losses.

use burn::tensor::activation::{log_softmax, softmax};
use larp_traits::tensor::untracked;
use larp_traits::{Int, LossTerm, Tensor};

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

impl CodebookWeights {
    /// The two losses of latents and the codes they are pulled to.
    ///
    /// # Shapes
    /// - latents and codes: `[batch, tokens, code_dim]`
    pub fn losses(self, latents: Tensor<3>, codes: Tensor<3>) -> Vec<LossTerm> {
        let commitment = (untracked(codes.clone()) - latents.clone()).square().mean();
        let codebook = (codes - untracked(latents)).square().mean();
        vec![
            LossTerm { name: "commitment", weight: self.commitment, value: commitment },
            LossTerm { name: "codebook", weight: self.codebook, value: codebook },
        ]
    }
}

/// The embeddings of chosen codes; their gradient goes straight to the latents.
///
/// # Shapes
/// - latents, codes and output: `[batch, tokens, code_dim]`
pub fn straight_through(latents: Tensor<3>, codes: Tensor<3>) -> Tensor<3> {
    latents.clone() + untracked(codes - latents)
}

/// The two entropies of choices, in nats, `[1]` each.
#[derive(Debug, Clone)]
pub struct Entropies {
    /// The mean entropy of a latent's distribution over the codes: 0 when each choice is sure.
    pub of_samples: Tensor<1>,
    /// The entropy of the mean distribution: `ln(vocab)` when all codes are chosen equally often.
    pub of_batch: Tensor<1>,
}

/// # Shapes
/// - logits: `[rows, vocab]`, one distribution a latent
pub fn entropies(logits: Tensor<2>) -> Entropies {
    let (probabilities, logs) = (softmax(logits.clone(), 1), log_softmax(logits, 1));
    let of_samples = (probabilities.clone() * logs).sum_dim(1).mean().neg();
    let mean = probabilities.mean_dim(0);
    let of_batch = (mean.clone() * mean.clamp_min(1e-12).log()).sum().neg();
    Entropies { of_samples, of_batch }
}

/// Weights of the losses that keep a codebook in use; 0 turns one off.
#[derive(Debug, Clone, Copy)]
pub struct UsageWeights {
    /// The entropy loss (Yu et al., 2023, MAGVIT-v2, section 3.1): each choice should be sure, and all codes should be chosen. The
    /// entropy of the samples minus that of the batch.
    pub entropy: f64,
    /// The usage loss: how far the mean distribution is from the even one, `ln(vocab)` minus the entropy of the batch, which is the
    /// Kullback-Leibler divergence between the two. It leaves each choice as unsure as it is.
    pub usage: f64,
}

impl UsageWeights {
    /// The losses with their weights; `logits` is not called when both are off.
    pub fn losses(&self, logits: impl FnOnce() -> Tensor<2>) -> Vec<LossTerm> {
        if self.entropy == 0.0 && self.usage == 0.0 {
            return Vec::new();
        }
        let logits = logits();
        let even = (logits.dims()[1] as f64).ln();
        let Entropies { of_samples, of_batch } = entropies(logits);
        let entropy = LossTerm { name: "entropy", weight: self.entropy, value: of_samples - of_batch.clone() };
        let usage = LossTerm { name: "codebook_usage", weight: self.usage, value: of_batch.neg().add_scalar(even) };
        [entropy, usage].into_iter().filter(|term| term.weight != 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use larp_traits::tensor::{cpu, scalar};
    use rstest::rstest;

    use super::*;

    /// The losses of these logits, each with weight 1.
    fn losses<const N: usize, const V: usize>(logits: [[f32; V]; N]) -> [f32; 2] {
        let terms = UsageWeights { entropy: 1.0, usage: 1.0 }.losses(|| Tensor::from_floats(logits, &cpu()));
        assert_eq!([terms[0].name, terms[1].name], ["entropy", "codebook_usage"]);
        [scalar(terms[0].value.clone()), scalar(terms[1].value.clone())]
    }

    // probabilities 3/4 and 1/4 have an entropy of ln 4 - 3/4 ln 3 = 0.562335
    #[rstest]
    // samples 0.562335 each, batch (1/2, 1/2): 0.693147
    #[case::opposite([[3f32.ln(), 0.0], [0.0, 3f32.ln()]], -0.130812, 0.0)]
    // samples 0.562335 and 0.693147, batch (5/8, 3/8): 0.661563
    #[case::one_unsure([[3f32.ln(), 0.0], [0.0, 0.0]], -0.033822, 0.031584)]
    // both alike: the entropy of the batch is that of each sample
    #[case::alike([[3f32.ln(), 0.0], [3f32.ln(), 0.0]], 0.0, 0.130812)]
    fn losses_are_those_computed_by_hand(#[case] logits: [[f32; 2]; 2], #[case] entropy: f32, #[case] usage: f32) {
        let found = losses(logits);
        assert!((found[0] - entropy).abs() < 1e-5 && (found[1] - usage).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn logits_of_any_size_have_finite_losses_and_gradients() {
        let logits = Tensor::<2>::from_floats([[1e4, -1e4, 0.0], [1e4, -1e4, 1e4]], &cpu()).require_grad();
        let terms = UsageWeights { entropy: 1.0, usage: 1.0 }.losses(|| logits.clone());
        let total = terms[0].value.clone() + terms[1].value.clone();
        let gradient = logits.grad(&total.clone().backward()).expect("it arrives");
        assert!(scalar(total).is_finite() && gradient.abs().max().into_scalar().is_finite());
    }

    #[test]
    fn losses_without_weight_are_not_computed() {
        assert!(UsageWeights { entropy: 0.0, usage: 0.0 }.losses(|| panic!("not asked for")).is_empty());
        let logits = || Tensor::from_floats([[0.0, 0.0]], &cpu());
        let names = |weights: UsageWeights| weights.losses(logits).into_iter().map(|term| term.name).collect::<Vec<_>>();
        assert_eq!(names(UsageWeights { entropy: 0.0, usage: 0.1 }), ["codebook_usage"]);
        assert_eq!(names(UsageWeights { entropy: 0.1, usage: 0.0 }), ["entropy"]);
    }

    #[test]
    fn sure_and_even_choices_have_the_lowest_entropy_loss() {
        let (even, collapsed, unsure) = ([[50.0, 0.0], [0.0, 50.0]], [[50.0, 0.0], [50.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]);
        let values = [even, collapsed, unsure].map(|logits| losses(logits)[0]);
        assert!((values[0] + std::f32::consts::LN_2).abs() < 1e-4, "{values:?}");
        assert!(values[1].abs() < 1e-4 && values[2].abs() < 1e-4, "{values:?}");
    }
}
