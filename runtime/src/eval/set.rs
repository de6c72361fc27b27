//! Features of a set of clips.

use nalgebra::DMatrix;

use super::moments::Moments;

/// A row of features for each clip, and their moments.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSet {
    /// Row-major, `[clips, dim]`.
    pub rows: Vec<f32>,
    /// Of all rows.
    pub moments: Moments,
}

impl FeatureSet {
    /// Without a clip.
    pub fn new(dim: usize) -> Self {
        Self { rows: Vec::new(), moments: Moments::new(dim) }
    }

    /// Values a clip.
    pub fn dim(&self) -> usize {
        self.moments.mean.len()
    }

    /// Adds the features of some clips, row-major.
    pub fn add(&mut self, rows: &[f32]) {
        let dim = self.dim();
        self.moments.add(&DMatrix::from_row_iterator(rows.len() / dim, dim, rows.iter().map(|&value| f64::from(value))));
        self.rows.extend_from_slice(rows);
    }

    /// Moments of some of the clips; a clip may be there twice.
    pub fn moments_of(&self, clips: &[usize]) -> Moments {
        let dim = self.dim();
        let value = |row: usize, column: usize| f64::from(self.rows[clips[row] * dim + column]);
        Moments::of(&DMatrix::from_fn(clips.len(), dim, value))
    }
}
