//! What Python packages gave on the inputs of the tests: `tests/data/metrics`.

use serde::Deserialize;

/// The numbers that `metrics.py` prints.
#[derive(Deserialize)]
pub struct Python {
    /// SciPy, covariances over N.
    pub full_rank_n: f64,
    /// SciPy, covariances over N - 1.
    pub full_rank_n_1: f64,
    /// SciPy, fewer rows than columns.
    pub deficient_n: f64,
    /// pytorch-msssim, each clip's mean over its frames.
    pub ssim: [f64; 2],
}

impl Python {
    pub fn numbers() -> Self {
        let text = include_str!("../../../tests/data/metrics/metrics.json");
        serde_json::from_str(text).expect("the numbers of metrics.py")
    }
}
