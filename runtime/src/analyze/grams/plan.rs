//! Which n-grams are counted in which pass.

use std::ops::Range;

/// What one pass over the sequences counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pass {
    /// n-grams with a first token in the range, sorted in buckets.
    Buckets(Range<usize>),
    /// n-grams with a first token and a continuation in the ranges, in a table.
    Table { first: Range<usize>, rest: Range<u64> },
}

/// Passes in ascending order of first token and continuation, none of which needs more than `capacity` numbers of 4 bytes.
///
/// `by_first` says how many n-grams begin with each token, and `rests` how many continuations there are.
pub(super) fn plan(by_first: &[u64], rests: u64, capacity: u64) -> Vec<Pass> {
    let tokens = by_first.len();
    if (tokens as u64).checked_mul(rests).is_some_and(|cells| cells <= capacity) {
        return vec![Pass::Table { first: 0..tokens, rest: 0..rests }];
    }
    let mut passes = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (token, &count) in by_first.iter().enumerate() {
        if size + count > capacity {
            if size > 0 {
                passes.push(Pass::Buckets(start..token));
            }
            (start, size) = (token, 0);
        }
        if count > capacity {
            let parts = rests.div_ceil(capacity);
            passes.extend((0..parts).map(|part| {
                let rest = part * capacity..((part + 1) * capacity).min(rests);
                Pass::Table { first: token..token + 1, rest }
            }));
            start = token + 1;
        } else {
            size += count;
        }
    }
    if size > 0 {
        passes.push(Pass::Buckets(start..tokens));
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_share_a_pass_up_to_the_capacity_and_a_large_one_becomes_a_table_in_parts() {
        let table = |first, rest| Pass::Table { first, rest };
        assert_eq!(plan(&[3, 3, 4], 16, 48), [table(0..3, 0..16)]);
        assert_eq!(plan(&[3, 3, 4], 16, 10), [Pass::Buckets(0..3)]);
        assert_eq!(plan(&[3, 3, 4], 16, 7), [Pass::Buckets(0..2), Pass::Buckets(2..3)]);
        let expected = [Pass::Buckets(0..1), table(1..2, 0..10), table(1..2, 10..16), Pass::Buckets(2..4)];
        assert_eq!(plan(&[3, 90, 4, 1], 16, 10), expected);
        assert_eq!(plan(&[0, 0, 50], 16, 10), [table(2..3, 0..10), table(2..3, 10..16)]);
    }
}
