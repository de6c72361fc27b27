//! The Fréchet distance of two normal distributions (Dowson and Landau, 1982), as FID and FVD use it.

use nalgebra::DMatrix;

use super::moments::{Moments, Normalisation};

/// `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)`; `None` where a side has too few vectors for a covariance.
///
/// The square roots are of symmetric matrices, by their eigenvalues: a covariance of fewer vectors than dimensions, which has
/// eigenvalues 0, needs no offset, and nothing becomes complex.
///
/// # Panics
/// When the dimensions differ.
pub fn frechet_distance(a: &Moments, b: &Moments, by: Normalisation) -> Option<f64> {
    let (ca, cb) = (a.covariance(by)?, b.covariance(by)?);
    let root = root(&ca);
    let product = &root * &cb * &root;
    let product = (&product + product.transpose()) * 0.5;
    let cross: f64 = product.symmetric_eigenvalues().iter().map(|value| value.max(0.0).sqrt()).sum();
    let means = (&a.mean - &b.mean).norm_squared();
    // rounding may leave equal distributions a little below 0
    Some((means + ca.trace() + cb.trace() - 2.0 * cross).max(0.0))
}

/// The square root of a symmetric matrix without negative eigenvalues.
fn root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let mut eigen = matrix.clone().symmetric_eigen();
    eigen.eigenvalues.apply(|value| *value = value.max(0.0).sqrt());
    eigen.recompose()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::python::Python;
    use super::*;

    /// The same formula as in `tests/data/metrics/metrics.py`.
    fn rows(count: usize, dim: usize, shift: f64) -> DMatrix<f64> {
        DMatrix::from_fn(count, dim, |i, j| {
            ((i * 31 + j * 17) as f64 * 0.7 + shift).sin() + 0.5 * ((i * j) as f64 * 0.13 + shift).cos() + shift * 0.1 * j as f64
        })
    }

    // scipy.linalg.sqrtm(C1 @ C2), numpy.cov with ddof 0 and 1: tests/data/metrics/metrics.py
    #[rstest]
    #[case::full_rank(200, 16, Normalisation::Count, |python: Python| python.full_rank_n)]
    #[case::full_rank_without_bias(200, 16, Normalisation::CountLessOne, |python: Python| python.full_rank_n_1)]
    #[case::rank_deficient(10, 32, Normalisation::Count, |python: Python| python.deficient_n)]
    fn the_distance_equals_that_of_scipy(
        #[case] count: usize,
        #[case] dim: usize,
        #[case] by: Normalisation,
        #[case] expected: fn(Python) -> f64,
    ) {
        let (a, b) = (Moments::of(&rows(count, dim, 0.0)), Moments::of(&rows(count, dim, 1.0)));
        let (found, expected) = (frechet_distance(&a, &b, by).unwrap(), expected(Python::numbers()));
        assert!((found - expected).abs() <= 1e-6 * expected, "{found} against {expected}");
    }

    #[test]
    fn equal_sets_have_no_distance_and_shifted_ones_that_of_their_means() {
        let a = Moments::of(&rows(50, 8, 0.0));
        assert!(frechet_distance(&a, &a, Normalisation::Count).unwrap() < 1e-9);
        let shifted = Moments::of(&rows(50, 8, 0.0).add_scalar(0.5));
        assert!((frechet_distance(&a, &shifted, Normalisation::Count).unwrap() - 2.0).abs() < 1e-9);
    }
}
