//! How many n-grams occur how often.

use std::collections::BTreeMap;

use serde::Serialize;

/// Frequencies below are counted in a table.
const FREQUENT: usize = 1 << 16;

/// Numbers of distinct n-grams by frequency (the axes of figures 12 to 14).
#[derive(Debug, Clone)]
pub struct Histogram {
    rare: Vec<u64>,
    frequent: BTreeMap<u64, u64>,
}

/// A histogram in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HistogramSummary {
    /// All n-grams.
    pub occurrences: u64,
    /// Different ones.
    pub distinct: u64,
    /// Occurrences of the most frequent one.
    pub most: u64,
    /// Entropy of the n-grams in bits.
    pub entropy_bits: f64,
    /// Share of all occurrences that belong to the most frequent hundredth of the distinct n-grams.
    pub top_percent_share: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { rare: vec![0; FREQUENT], frequent: BTreeMap::new() }
    }
}

impl Histogram {
    /// Adds an n-gram that occurs `count` times.
    pub fn add(&mut self, count: u64) {
        match usize::try_from(count).ok().and_then(|count| self.rare.get_mut(count)) {
            Some(number) => *number += 1,
            None => *self.frequent.entry(count).or_default() += 1,
        }
    }

    /// Frequency and number of n-grams with it, by ascending frequency.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let rare = self.rare.iter().enumerate().map(|(count, &number)| (count as u64, number));
        rare.filter(|&(_, number)| number > 0).chain(self.frequent.iter().map(|(&count, &number)| (count, number)))
    }

    /// The histogram in numbers.
    pub fn summary(&self) -> HistogramSummary {
        let occurrences: u64 = self.entries().map(|(count, number)| count * number).sum();
        let distinct: u64 = self.entries().map(|(_, number)| number).sum();
        let entropy = |(count, number): (u64, u64)| {
            let share = count as f64 / occurrences as f64;
            -share * share.log2() * number as f64
        };
        let (mut left, mut top) = (distinct.div_ceil(100), 0);
        for (count, number) in self.entries().rev() {
            let taken = number.min(left);
            top += taken * count;
            left -= taken;
        }
        HistogramSummary {
            occurrences,
            distinct,
            most: self.entries().next_back().map_or(0, |(count, _)| count),
            entropy_bits: self.entries().map(entropy).sum::<f64>().max(0.0),
            top_percent_share: top as f64 / occurrences.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_by_hand() {
        let mut histogram = Histogram::default();
        [1, 1, 2, 4].into_iter().for_each(|count| histogram.add(count));
        assert_eq!(histogram.entries().collect::<Vec<_>>(), [(1, 2), (2, 1), (4, 1)]);
        let summary = histogram.summary();
        assert_eq!((summary.occurrences, summary.distinct, summary.most), (8, 4, 4));
        // shares 1/2, 1/4, 1/8, 1/8
        assert!((summary.entropy_bits - 1.75).abs() < 1e-12 && summary.top_percent_share == 0.5, "{summary:?}");
    }

    #[test]
    fn frequencies_beyond_the_table_are_kept() {
        let mut histogram = Histogram::default();
        [100_000, 5, 100_000, u64::MAX / 4].into_iter().for_each(|count| histogram.add(count));
        assert_eq!(histogram.entries().collect::<Vec<_>>(), [(5, 1), (100_000, 2), (u64::MAX / 4, 1)]);
    }
}
