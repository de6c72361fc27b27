//! How evenly codes are used.

/// How often each token was seen.
#[derive(Debug, Clone)]
pub struct CodeCounts {
    counts: Vec<u64>,
}

impl CodeCounts {
    /// None seen yet.
    pub fn new(vocab_size: usize) -> Self {
        Self { counts: vec![0; vocab_size] }
    }

    /// Counts tokens.
    ///
    /// # Panics
    /// When a token is not below the vocabulary size.
    pub fn add(&mut self, tokens: &[i64]) {
        for &token in tokens {
            self.counts[usize::try_from(token).expect("tokens are not negative")] += 1;
        }
    }

    /// How often each code was seen.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Share of the codes that were seen at all.
    pub fn usage(&self) -> f64 {
        self.counts.iter().filter(|&&count| count > 0).count() as f64 / self.counts.len() as f64
    }

    /// `exp` of the entropy: the number of codes, if all seen ones were equally frequent.
    pub fn perplexity(&self) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let share = |&count: &u64| count as f64 / total as f64;
        self.counts.iter().filter(|&&count| count > 0).map(share).map(|p| -p * p.ln()).sum::<f64>().exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_use_of_half_the_codes() {
        let mut counts = CodeCounts::new(8);
        counts.add(&[0, 1, 2, 3, 0, 1, 2, 3]);
        assert!((counts.usage() - 0.5).abs() < 1e-12 && (counts.perplexity() - 4.0).abs() < 1e-9);
    }
}
