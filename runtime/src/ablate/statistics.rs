//! Mean, deviation and confidence interval over seeds.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Share of the intervals that hold the true mean, were the values normally distributed.
pub(super) const CONFIDENCE: f64 = 0.95;

/// What a few values say of their mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Number of values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with N - 1; of one value there is none.
    pub deviation: Option<f64>,
    /// The 95% confidence interval of the mean by Student's t with N - 1 degrees of freedom; of one value there is none.
    pub interval: Option<(f64, f64)>,
}

/// The estimate; `None` without values, or where one is not finite: a mean of the others would hide it.
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    let count = values.len();
    if count == 0 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    if count == 1 {
        return Some(Estimate { count, mean, deviation: None, interval: None });
    }
    let freedom = (count - 1) as f64;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / freedom).sqrt();
    let half = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.5 + CONFIDENCE / 2.0) * deviation / (count as f64).sqrt();
    Some(Estimate { count, mean, deviation: Some(deviation), interval: Some((mean - half, mean + half)) })
}

/// The estimate of `values - base` for the seeds that both have: what equal seeds share, such as the order of the clips, cancels out.
pub fn paired_difference(values: &[(u64, f64)], base: &[(u64, f64)]) -> Option<Estimate> {
    let pairs = values.iter().filter_map(|(seed, value)| {
        let (_, other) = base.iter().find(|(known, _)| known == seed)?;
        Some(value - other)
    });
    estimate(&pairs.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // scipy.stats.t.interval(0.95, n - 1, mean, scipy.stats.sem(values)), numpy.std(values, ddof=1)
    #[rstest]
    #[case::three_seeds(&[20.1, 19.7, 20.4], 20.066666666666666, 0.3511884584284244, (19.194266173153153, 20.93906716018018))]
    #[case::two_seeds(&[1.0, 2.5], 1.75, 1.0606601717798212, (-7.77965355213102, 11.27965355213102))]
    #[case::ten_seeds(&[3.1, 2.9, 3.4, 3.3, 2.8, 3.0, 3.2, 3.6, 2.7, 3.05], 3.105, 0.2773385416177612, (2.906603958961902, 3.303396041038098))]
    #[case::small_values(&[-0.001, 0.002, 0.0005, -0.0007, 0.0011], 0.00038, 0.0012477980605851253, (-0.0011693459288570295, 0.0019293459288570293))]
    fn intervals_equal_those_of_scipy(
        #[case] values: &[f64],
        #[case] mean: f64,
        #[case] deviation: f64,
        #[case] interval: (f64, f64),
    ) {
        let found = estimate(values).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} against {b}");
        close(found.mean, mean);
        close(found.deviation.unwrap(), deviation);
        close(found.interval.unwrap().0, interval.0);
        close(found.interval.unwrap().1, interval.1);
    }

    #[test]
    fn one_value_has_no_deviation_and_none_has_no_estimate() {
        assert_eq!(estimate(&[2.0]), Some(Estimate { count: 1, mean: 2.0, deviation: None, interval: None }));
        assert_eq!(estimate(&[]), None);
    }

    #[test]
    fn a_value_that_is_not_finite_is_not_averaged_away() {
        assert_eq!(estimate(&[1.0, f64::NAN, 2.0]), None);
    }

    #[test]
    fn differences_are_between_equal_seeds() {
        let found = paired_difference(&[(0, 3.0), (1, 5.0), (7, 100.0)], &[(1, 4.0), (0, 1.0), (2, 50.0)]).unwrap();
        assert_eq!((found.count, found.mean), (2, 1.5));
    }
}
