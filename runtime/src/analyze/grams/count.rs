//! The passes.

use std::ops::Range;

use super::Sequences;
use super::plan::{Pass, plan};
use crate::RuntimeError;
use crate::analyze::OnProgress;

/// Bytes of a number in a bucket or table.
const ENTRY: u64 = 4;

/// The n-grams to count.
#[derive(Debug, Clone, Copy)]
pub struct Grams<'a> {
    /// Tokens of an n-gram, at least 1.
    pub n: usize,
    /// The class of each sequence, to count by n-gram and class; `None` counts by n-gram alone.
    pub labels: Option<&'a [i32]>,
    /// Bytes that counting may take; what is read at a time comes on top.
    pub memory: u64,
}

/// What the first pass finds.
#[derive(Debug)]
struct Survey {
    by_first: Vec<u64>,
    /// The first token that is none, with its sequence.
    negative: Option<(usize, i32)>,
}

/// How an n-gram is a number: its first token, and the rest of it with the class.
#[derive(Debug, Clone, Copy)]
struct Keys {
    vocab: u64,
    classes: u64,
    rests: u64,
}

impl Grams<'_> {
    /// Counts, and hands over each n-gram that occurs, in ascending order: first token, the other tokens and the class as one number,
    /// `((t2 * vocab + t3) * vocab + ..) * classes + class`, and the count. Gives the vocabulary (the largest token and 1).
    ///
    /// # Errors
    /// When sequences cannot be read, are shorter than an n-gram or hold a negative token or label, or when there are more than
    /// 2^32 continuations of a token or n-grams.
    ///
    /// # Panics
    /// When there is not one label for each sequence.
    pub fn count(
        &self,
        sequences: &dyn Sequences,
        progress: OnProgress<'_>,
        visit: &mut dyn FnMut(u32, u32, u64),
    ) -> Result<usize, RuntimeError> {
        let (count, length) = (sequences.count(), sequences.length());
        if self.n == 0 || length < self.n {
            return Err(RuntimeError::Request(format!("sequences of {length} tokens have no {}-grams", self.n)));
        }
        let what = format!("{}-grams", self.n);
        let mut told = |pass: usize, passes: usize, done: usize| {
            progress((pass * count + done) as u64, (passes * count) as u64, &what);
        };
        let survey = self.survey(sequences, &mut |done| told(0, 2, done))?;
        if let Some((sequence, token)) = survey.negative {
            return Err(RuntimeError::Request(format!("sequence {sequence} holds {token}, which is no token")));
        }
        let keys = self.keys(survey.by_first.len() as u64)?;
        if survey.by_first.iter().sum::<u64>() > u64::from(u32::MAX) {
            let message = format!("more than {} {}-grams are too many; use fewer sequences", u32::MAX, self.n);
            return Err(RuntimeError::Request(message));
        }
        let passes = plan(&survey.by_first, keys.rests, (self.memory / ENTRY).max(1));
        for (index, pass) in passes.iter().enumerate() {
            let mut told = |done| told(index + 1, passes.len() + 1, done);
            match pass {
                Pass::Buckets(firsts) => {
                    let sizes = &survey.by_first[firsts.clone()];
                    self.buckets(sequences, keys, firsts.clone(), sizes, &mut told, visit)?;
                }
                Pass::Table { first, rest } => self.table(sequences, keys, first.clone(), rest.clone(), &mut told, visit)?,
            }
        }
        Ok(survey.by_first.len())
    }

    fn survey(&self, sequences: &dyn Sequences, told: &mut dyn FnMut(usize)) -> Result<Survey, RuntimeError> {
        let mut survey = Survey { by_first: Vec::new(), negative: None };
        let length = sequences.length();
        sequences.scan(&mut |at, tokens| {
            for (index, sequence) in tokens.chunks_exact(length).enumerate() {
                for (place, &token) in sequence.iter().enumerate() {
                    let Ok(token) = usize::try_from(token) else {
                        survey.negative.get_or_insert((at + index, token));
                        continue;
                    };
                    if token >= survey.by_first.len() {
                        survey.by_first.resize(token + 1, 0);
                    }
                    survey.by_first[token] += u64::from(place + self.n <= length);
                }
            }
            told(at + tokens.len() / length);
        })?;
        Ok(survey)
    }

    fn keys(&self, vocab: u64) -> Result<Keys, RuntimeError> {
        let mut classes = 1;
        if let Some(labels) = self.labels {
            if let Some(sequence) = labels.iter().position(|&label| label < 0) {
                return Err(RuntimeError::Request(format!("sequence {sequence} has no class")));
            }
            classes = labels.iter().max().map_or(1, |&last| last as u64 + 1);
        }
        let rests = u32::try_from(self.n - 1).ok().and_then(|power| vocab.checked_pow(power)?.checked_mul(classes));
        match rests.filter(|&rests| rests <= 1 << 32) {
            Some(rests) => Ok(Keys { vocab, classes, rests }),
            None => Err(RuntimeError::Request(format!("{}-grams of {vocab} tokens are too many to count", self.n))),
        }
    }

    /// Goes through the n-grams of all sequences.
    fn each(
        &self,
        sequences: &dyn Sequences,
        keys: Keys,
        firsts: &Range<usize>,
        told: &mut dyn FnMut(usize),
        mut take: impl FnMut(usize, u64),
    ) -> Result<(), RuntimeError> {
        let length = sequences.length();
        sequences.scan(&mut |at, tokens| {
            for (index, sequence) in tokens.chunks_exact(length).enumerate() {
                let class = self.labels.map_or(0, |labels| labels[at + index] as u64);
                for gram in sequence.windows(self.n) {
                    let first = gram[0] as usize;
                    if firsts.contains(&first) {
                        let rest = gram[1..].iter().fold(0, |rest, &token| rest * keys.vocab + token as u64);
                        take(first - firsts.start, rest * keys.classes + class);
                    }
                }
            }
            told(at + tokens.len() / length);
        })
    }

    fn buckets(
        &self,
        sequences: &dyn Sequences,
        keys: Keys,
        firsts: Range<usize>,
        sizes: &[u64],
        told: &mut dyn FnMut(usize),
        visit: &mut dyn FnMut(u32, u32, u64),
    ) -> Result<(), RuntimeError> {
        let mut ends: Vec<usize> = Vec::with_capacity(sizes.len());
        let mut total = 0;
        for &size in sizes {
            ends.push(total);
            total += size as usize;
        }
        let mut entries = vec![0_u32; total];
        // the start of each bucket moves to its end as the bucket fills
        self.each(sequences, keys, &firsts, told, |bucket, rest| {
            entries[ends[bucket]] = rest as u32;
            ends[bucket] += 1;
        })?;
        let mut start = 0;
        for (bucket, end) in ends.into_iter().enumerate() {
            let entries = &mut entries[start..end];
            entries.sort_unstable();
            for run in entries.chunk_by(|a, b| a == b) {
                visit((firsts.start + bucket) as u32, run[0], run.len() as u64);
            }
            start = end;
        }
        Ok(())
    }

    fn table(
        &self,
        sequences: &dyn Sequences,
        keys: Keys,
        firsts: Range<usize>,
        rests: Range<u64>,
        told: &mut dyn FnMut(usize),
        visit: &mut dyn FnMut(u32, u32, u64),
    ) -> Result<(), RuntimeError> {
        let width = (rests.end - rests.start) as usize;
        let mut cells = vec![0_u32; firsts.len() * width];
        self.each(sequences, keys, &firsts, told, |first, rest| {
            if rests.contains(&rest) {
                cells[first * width + (rest - rests.start) as usize] += 1;
            }
        })?;
        for (cell, &count) in cells.iter().enumerate().filter(|&(_, &count)| count > 0) {
            let rest = rests.start + (cell % width) as u64;
            visit((firsts.start + cell / width) as u32, rest as u32, u64::from(count));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use larp_traits::Stream;
    use rstest::rstest;

    use super::*;
    use crate::tokens::Tokens;

    /// Sequences of which half the tokens are token 3.
    fn sequences(count: usize, length: usize, vocab: u64) -> Tokens {
        let draw = |index: usize| Stream::new(7).at(index as u64).seed();
        let token = |index| if draw(index).is_multiple_of(2) { 3 } else { (draw(index) / 2 % vocab) as i32 };
        let labels = (0..count).map(|sequence| (sequence % 3) as i32).collect();
        Tokens { length, values: (0..count * length).map(token).collect(), labels, conditions: None }
    }

    type Counts = BTreeMap<(u32, u32), u64>;

    fn naive(tokens: &Tokens, n: usize, vocab: u32, classes: Option<u32>) -> Counts {
        let mut counts = Counts::new();
        for (sequence, label) in tokens.values.chunks(tokens.length).zip(&tokens.labels) {
            for start in 0..=tokens.length - n {
                let mut rest = 0;
                (1..n).for_each(|place| rest = rest * vocab + sequence[start + place] as u32);
                let rest = classes.map_or(rest, |classes| rest * classes + *label as u32);
                *counts.entry((sequence[start] as u32, rest)).or_default() += 1;
            }
        }
        counts
    }

    /// From one table for all down to parts of a table for each first token.
    #[rstest]
    fn counts_equal_naive_ones_whatever_the_memory(
        #[values(1, 2, 3)] n: usize,
        #[values(true, false)] by_class: bool,
        #[values(1 << 20, 4000, 400, 40)] memory: u64,
    ) {
        let tokens = sequences(40, 12, 11);
        let labels = by_class.then_some(tokens.labels.as_slice());
        let mut counted = Vec::new();
        let mut told = Vec::new();
        let vocab = Grams { n, labels, memory }
            .count(&tokens, &mut |done, total, _| told.push((done, total)), &mut |first, rest, count| {
                counted.push(((first, rest), count));
            })
            .unwrap();
        assert_eq!(vocab, 11);
        assert!(counted.is_sorted(), "in ascending order");
        assert_eq!(counted.into_iter().collect::<Counts>(), naive(&tokens, n, 11, by_class.then_some(3)));
        assert!(told.last().is_some_and(|(done, total)| done == total), "{told:?}");
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        let refusal = |tokens: &Tokens, n: usize, labels: Option<&[i32]>| {
            let grams = Grams { n, labels, memory: 1000 };
            grams.count(tokens, &mut |_, _, _| {}, &mut |_, _, _| {}).unwrap_err().to_string()
        };
        let short = sequences(2, 2, 5);
        assert_eq!(refusal(&short, 3, None), "sequences of 2 tokens have no 3-grams");
        assert_eq!(refusal(&short, 2, Some(&[0, -1])), "sequence 1 has no class");
        let negative = Tokens { values: vec![1, 2, 3, -4], ..short };
        assert_eq!(refusal(&negative, 2, None), "sequence 1 holds -4, which is no token");
        let many = Tokens { length: 3, values: vec![0, 1, 70_000], labels: vec![0], conditions: None };
        assert_eq!(refusal(&many, 3, None), "3-grams of 70001 tokens are too many to count");
    }
}
