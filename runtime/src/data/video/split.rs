//! Which file is in which split.
//!
//! Given splits (folders or a CSV column) are kept; with a CSV that gives some, the rest train. Otherwise a file goes by
//! `u = hash(relative path) / 2^64`: test where `u < test_fraction`, validation where `u` is in the next `validation_fraction`,
//! else training. So a file keeps its split when others come or go. Then, for a fraction above 0:
//! - with at least 3 files, a held-out split that got none takes the file with the lowest hash of the largest split;
//! - with fewer, the splits share the files, and a warning says so.
//!
//! Where only one of validation and test is given, it serves as both; where neither is, both are drawn from training.
//!
//! Within a split, files are in the order of their hashes: the first few are of several classes.

use std::path::Path;

use super::item::Item;
use crate::data::random::hash_text;
use crate::data::{DataError, Split};

/// Item numbers of each split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Splits([Vec<usize>; 3]);

impl Splits {
    /// The items of a split.
    pub fn of(&self, split: Split) -> &[usize] {
        &self.0[split as usize]
    }
}

/// Assigns the usable items; `root` is named in messages.
pub(super) fn assign(items: &[Item], usable: &[usize], (validation, test): (f64, f64), root: &Path) -> Result<Splits, DataError> {
    let mut order: Vec<(u64, usize)> = usable.iter().map(|&i| (hash_text(&items[i].relative), i)).collect();
    order.sort_unstable();
    let mut splits: [Vec<usize>; 3] = Default::default();
    let given = order.iter().any(|(_, item)| items[*item].split.is_some());
    let held_out = |split: Option<Split>| matches!(split, Some(Split::Validation | Split::Test));
    let draw = !order.iter().any(|(_, item)| held_out(items[*item].split));
    for (hash, item) in order {
        let u = hash as f64 / 2f64.powi(64);
        let drawn = match () {
            () if u < test => Split::Test,
            () if u < test + validation => Split::Validation,
            () => Split::Train,
        };
        let split = if draw { drawn } else { items[item].split.unwrap_or(Split::Train) };
        splits[split as usize].push(item);
    }
    if draw {
        fill(&mut splits, [0.0, validation, test], root);
    } else {
        share(&mut splits, root);
    }
    if splits[Split::Train as usize].is_empty() && given {
        return Err(DataError::EmptySplit { split: Split::Train, source_name: root.display().to_string() });
    }
    Ok(Splits(splits))
}

/// Gives every wanted split a file.
fn fill(splits: &mut [Vec<usize>; 3], wanted: [f64; 3], root: &Path) {
    let total: usize = splits.iter().map(Vec::len).sum();
    if total < 3 {
        let all: Vec<usize> = splits.iter().flatten().copied().collect();
        tracing::warn!("`{}` has {total} usable file(s): training and evaluation share them", root.display());
        *splits = [all.clone(), all.clone(), all];
        return;
    }
    for split in [Split::Train, Split::Validation, Split::Test] {
        let needed = split == Split::Train || wanted[split as usize] > 0.0;
        if needed && splits[split as usize].is_empty() {
            let largest = (0..3).max_by_key(|i| (splits[*i].len(), 3 - i)).unwrap_or(0);
            let item = splits[largest].remove(0);
            splits[split as usize].push(item);
        }
    }
}

/// One held-out split serves as both.
fn share(splits: &mut [Vec<usize>; 3], root: &Path) {
    let pair = [(Split::Validation, Split::Test), (Split::Test, Split::Validation)];
    for (empty, full) in pair {
        if splits[empty as usize].is_empty() {
            tracing::warn!("`{}` has no {empty} split: its {full} split serves as both", root.display());
            splits[empty as usize] = splits[full as usize].clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize, split: impl Fn(usize) -> Option<Split>) -> Vec<Item> {
        let item = |i: usize| Item { path: "x".into(), relative: format!("{i}.mp4"), label: None, split: split(i) };
        (0..count).map(item).collect()
    }

    fn sizes(items: &[Item], fractions: (f64, f64)) -> [usize; 3] {
        let usable: Vec<usize> = (0..items.len()).collect();
        let splits = assign(items, &usable, fractions, Path::new("clips")).unwrap();
        Split::ALL.map(|split| splits.of(split).len())
    }

    #[test]
    fn fractions_are_met_and_no_file_is_in_two_splits() {
        let [train, validation, test] = sizes(&items(5000, |_| None), (0.1, 0.2));
        assert_eq!(train + validation + test, 5000);
        assert!((400..600).contains(&validation) && (900..1100).contains(&test), "{validation} {test}");
    }

    #[test]
    fn a_file_keeps_its_split_when_others_come() {
        let (few, many) = (items(1000, |_| None), items(1500, |_| None));
        let of = |items: &[Item]| assign(items, &(0..items.len()).collect::<Vec<_>>(), (0.1, 0.1), Path::new("clips")).unwrap();
        for split in Split::ALL {
            let kept: Vec<usize> = of(&many).of(split).iter().copied().filter(|i| *i < 1000).collect();
            assert_eq!(kept, of(&few).of(split));
        }
    }

    #[test]
    fn few_files_still_fill_every_split() {
        for count in 3..20 {
            let [train, validation, test] = sizes(&items(count, |_| None), (0.1, 0.1));
            assert!(train > 0 && validation > 0 && test > 0, "{count}: {train} {validation} {test}");
            assert_eq!(train + validation + test, count);
        }
        assert_eq!(sizes(&items(2, |_| None), (0.1, 0.1)), [2, 2, 2]);
        assert_eq!(sizes(&items(9, |_| None), (0.0, 0.0)), [9, 0, 0]);
    }

    #[test]
    fn given_splits_are_kept() {
        let three = |i: usize| Some(Split::ALL[i % 3]);
        assert_eq!(sizes(&items(9, three), (0.1, 0.1)), [3, 3, 3]);
        let two = |i: usize| Some(Split::ALL[i % 2]);
        assert_eq!(sizes(&items(8, two), (0.1, 0.1)), [4, 4, 4]);
        let none_trains = assign(&items(2, |_| Some(Split::Test)), &[0, 1], (0.1, 0.1), Path::new("clips"));
        assert!(matches!(none_trains, Err(DataError::EmptySplit { split: Split::Train, .. })));
    }
}
