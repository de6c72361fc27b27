//! Mean and covariance of vectors that come one after the other, in float64.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// What a covariance is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Normalisation {
    /// N, the number of vectors: the released code (departure 16).
    #[default]
    #[serde(rename = "n")]
    Count,
    /// N - 1, without bias.
    #[serde(rename = "n-1")]
    CountLessOne,
}

/// Count, mean, and summed outer products of what vectors are off the mean. Those of parts merge into those of the whole
/// (Chan, Golub and LeVeque, 1983).
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Number of vectors.
    pub count: u64,
    /// Their mean, `[dim]`.
    pub mean: DVector<f64>,
    /// `sum (x - mean) (x - mean)^T`, `[dim, dim]`.
    pub scatter: DMatrix<f64>,
}

impl Moments {
    /// Of no vector yet.
    pub fn new(dim: usize) -> Self {
        Self { count: 0, mean: DVector::zeros(dim), scatter: DMatrix::zeros(dim, dim) }
    }

    /// Of the rows of a matrix, `[vectors, dim]`.
    pub fn of(rows: &DMatrix<f64>) -> Self {
        let (count, dim) = rows.shape();
        if count == 0 {
            return Self::new(dim);
        }
        let mean = rows.row_mean();
        let mut centred = rows.clone();
        centred.row_iter_mut().for_each(|mut row| row -= &mean);
        Self { count: count as u64, mean: mean.transpose(), scatter: centred.transpose() * centred }
    }

    /// Adds more rows, `[vectors, dim]`.
    pub fn add(&mut self, rows: &DMatrix<f64>) {
        self.merge(&Self::of(rows));
    }

    /// Adds what others were counted.
    ///
    /// # Panics
    /// When the dimensions differ.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let (total, apart) = (own + others, &other.mean - &self.mean);
        self.scatter += &other.scatter + &apart * apart.transpose() * (own * others / total);
        self.mean += apart * (others / total);
        self.count += other.count;
    }

    /// The covariance; `None` of too few vectors.
    pub fn covariance(&self, by: Normalisation) -> Option<DMatrix<f64>> {
        let divisor = match by {
            Normalisation::Count => self.count,
            Normalisation::CountLessOne => self.count.checked_sub(1)?,
        };
        (divisor > 0).then(|| &self.scatter / divisor as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, offset: usize) -> DMatrix<f64> {
        DMatrix::from_fn(count, 5, |i, j| (((i + offset) * 7 + j * 3) as f64 * 0.61).sin() * (j + 1) as f64 + 100.0)
    }

    #[test]
    fn moments_of_parts_merge_into_those_of_the_whole() {
        let whole = Moments::of(&rows(53, 0));
        let mut merged = Moments::new(5);
        for (start, count) in [(0, 10), (10, 1), (11, 0), (11, 42)] {
            merged.add(&rows(count, start));
        }
        assert_eq!(merged.count, 53);
        assert!((&merged.mean - &whole.mean).amax() < 1e-12, "{}", merged.mean);
        assert!((&merged.scatter - &whole.scatter).amax() < 1e-9 * whole.scatter.amax(), "{}", merged.scatter);
    }

    #[test]
    fn the_covariance_is_divided_as_it_was_asked() {
        let moments = Moments::of(&DMatrix::from_row_slice(2, 1, &[1.0, 3.0]));
        assert_eq!(moments.covariance(Normalisation::Count).map(|c| c[0]), Some(1.0));
        assert_eq!(moments.covariance(Normalisation::CountLessOne).map(|c| c[0]), Some(2.0));
        assert_eq!(Moments::of(&DMatrix::from_row_slice(1, 1, &[1.0])).covariance(Normalisation::CountLessOne), None);
    }
}
