//! Long curves with few points.

/// Keeps the lowest and the highest point of each of `buckets` parts, so that peaks stay; a part with a non-finite
/// value ends with one, which breaks the line there.
pub(super) fn thin(points: &[(u64, f64)], buckets: usize) -> Vec<(u64, f64)> {
    if points.len() <= buckets * 2 {
        return points.to_vec();
    }
    points.chunks(points.len().div_ceil(buckets)).flat_map(extremes).collect()
}

fn extremes(part: &[(u64, f64)]) -> Vec<(u64, f64)> {
    let finite = || part.iter().copied().filter(|(_, value)| value.is_finite());
    let mut kept: Vec<_> = finite().min_by(|a, b| a.1.total_cmp(&b.1)).into_iter().collect();
    kept.extend(finite().max_by(|a, b| a.1.total_cmp(&b.1)));
    kept.sort_unstable_by_key(|(step, _)| *step);
    kept.dedup();
    kept.extend(part.iter().copied().find(|(_, value)| !value.is_finite()));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_and_breaks_stay() {
        let mut points: Vec<(u64, f64)> = (0..10_000).map(|step| (step, 0.0)).collect();
        points[5_000].1 = 9.0;
        points[7_000].1 = f64::NAN;
        let thinned = thin(&points, 100);
        assert!(thinned.len() <= 300);
        assert!(thinned.contains(&(5_000, 9.0)));
        assert_eq!(thinned.iter().filter(|(_, value)| value.is_nan()).count(), 1);
    }

    #[test]
    fn short_curves_stay_as_they_are() {
        assert_eq!(thin(&[(1, 2.0), (2, 1.0)], 5), [(1, 2.0), (2, 1.0)]);
    }
}
