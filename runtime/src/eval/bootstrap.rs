//! Confidence intervals by resampling clips (Efron, 1979).

use statrs::statistics::{Data, OrderStatistics, Statistics};

use crate::data::random::{Purpose, below, generator};

/// Share of the intervals that would hold the true value.
pub const CONFIDENCE: f64 = 0.95;

/// Values of a statistic for clips drawn with replacement from `count` ones, `times` times.
fn resampled(count: usize, times: usize, seed: u64, statistic: impl Fn(&[usize]) -> Option<f64>) -> Vec<f64> {
    let mut rng = generator(seed, Purpose::Bootstrap, &[count as u64]);
    let mut values = Vec::with_capacity(times);
    for _ in 0..times {
        let drawn: Vec<usize> = (0..count).map(|_| below(&mut rng, count)).collect();
        values.extend(statistic(&drawn).filter(|value| value.is_finite()));
    }
    values
}

/// The percentile interval of a statistic that resampling leaves without bias, such as a mean; `None` of fewer than two clips.
pub fn percentile_interval(
    count: usize,
    times: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Option<f64>,
) -> Option<[f64; 2]> {
    let values = if count < 2 { Vec::new() } else { resampled(count, times, seed, statistic) };
    if values.len() < 2 {
        return None;
    }
    let mut data = Data::new(values);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some([data.quantile(tail), data.quantile(1.0 - tail)])
}

/// `value` and 1.96 standard deviations of its resampled values to both sides, for statistics that resampling shifts: a Fréchet distance
/// grows because a resampled set has fewer different clips.
pub fn deviation_interval(
    value: f64,
    count: usize,
    times: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Option<f64>,
) -> Option<[f64; 2]> {
    let values = if count < 2 { Vec::new() } else { resampled(count, times, seed, statistic) };
    if values.len() < 2 {
        return None;
    }
    let half = 1.96 * values.iter().std_dev();
    Some([(value - half).max(0.0), value + half])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_distribution() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let mean = |drawn: &[usize]| Some(drawn.iter().map(|&i| values[i]).sum::<f64>() / drawn.len() as f64);
        // 9.5 +- 1.96 * 5.766 / 20
        let [low, high] = percentile_interval(400, 4000, 1, mean).unwrap();
        assert!((low - 8.935).abs() < 0.06 && (high - 10.065).abs() < 0.06, "{low} {high}");
        let [low, high] = deviation_interval(9.5, 400, 4000, 1, mean).unwrap();
        assert!((low - 8.935).abs() < 0.06 && (high - 10.065).abs() < 0.06, "{low} {high}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_one_clip_none() {
        let first = |drawn: &[usize]| Some(drawn[0] as f64);
        assert_eq!(percentile_interval(9, 50, 3, first), percentile_interval(9, 50, 3, first));
        assert_eq!(percentile_interval(1, 50, 3, first), None);
    }
}
