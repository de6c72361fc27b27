//! How far frequent 2-grams belong to one class (paper, appendix B.4, Figure 15, equations 9 and 10).

use serde::Serialize;

use super::grams::{Grams, Sequences};
use super::output::{Output, Record};
use super::plot::{Axis, Mark, Plot, Series};
use super::repetition::mean_and_error;
use super::{OnProgress, SequenceSource};
use crate::RuntimeError;

/// Points of a plot; more cannot be told apart.
const POINTS: usize = 800;

/// What to analyse.
#[derive(Debug, Clone, Copy)]
pub struct DominanceRequest {
    /// `d` of equation 10: 2-grams that occur less often are left out. The paper does not say what it was.
    pub threshold: u64,
    /// Bytes that counting may take.
    pub memory: u64,
}

/// A frequent 2-gram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dominance {
    /// First token.
    pub first: u32,
    /// Second token.
    pub second: u32,
    /// `n(b)`: how often it occurs.
    pub occurrences: u64,
    /// The class with most of them; the first of several.
    pub class: u32,
    /// `S(b)`, equation 9: the share of that class.
    pub score: f64,
}

#[derive(Debug, Serialize)]
struct Scored {
    source: String,
    sequences: usize,
    classes: usize,
    threshold: u64,
    /// 2-grams that are frequent enough, of all distinct ones.
    kept: usize,
    distinct: u64,
    mean_score: f64,
    median_score: f64,
    /// Share of the kept 2-grams of which one class has more than half.
    majority_share: f64,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    source: &'a str,
    rank: usize,
    #[serde(rename = "first_token")]
    first: u32,
    second_token: u32,
    occurrences: u64,
    class: u32,
    score: f64,
}

/// Scores of all 2-grams that occur at least `threshold` times, the highest first, and the number of distinct 2-grams and of occurrences
/// of the most frequent one.
///
/// # Errors
/// When sequences cannot be read or counted, or one has no class.
///
/// # Panics
/// When there is not one label for each sequence.
pub fn class_dominance_scores(
    sequences: &dyn Sequences,
    labels: &[i32],
    request: DominanceRequest,
    progress: OnProgress<'_>,
) -> Result<(Vec<Dominance>, u64, u64), RuntimeError> {
    let classes = labels.iter().max().map_or(1, |&last| last.max(0) as u32 + 1);
    let (mut scores, mut distinct, mut most) = (Vec::new(), 0, 0);
    let mut open: Option<(Dominance, u64)> = None;
    let mut close = |gram: Option<(Dominance, u64)>| {
        let Some((gram, of_class)) = gram else { return };
        distinct += 1;
        most = gram.occurrences.max(most);
        if gram.occurrences >= request.threshold {
            scores.push(Dominance { score: of_class as f64 / gram.occurrences as f64, ..gram });
        }
    };
    let grams = Grams { n: 2, labels: Some(labels), memory: request.memory };
    // the classes of a 2-gram come one after the other
    grams.count(sequences, progress, &mut |first, rest, count| {
        let (second, class) = (rest / classes, rest % classes);
        match &mut open {
            Some((gram, of_class)) if (gram.first, gram.second) == (first, second) => {
                gram.occurrences += count;
                if count > *of_class {
                    (gram.class, *of_class) = (class, count);
                }
            }
            _ => close(open.replace((Dominance { first, second, occurrences: count, class, score: 0.0 }, count))),
        }
    })?;
    close(open);
    scores.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(b.occurrences.cmp(&a.occurrences)).then((a.first, a.second).cmp(&(b.first, b.second)))
    });
    Ok((scores, distinct, most))
}

/// The scores of several sources, sorted, in one plot.
///
/// # Errors
/// When a source cannot be read or counted, has sequences without a class or no 2-gram that is frequent enough, or a file cannot be
/// written.
pub fn class_dominance(
    sources: &[SequenceSource],
    request: DominanceRequest,
    mut output: Output,
    progress: OnProgress<'_>,
) -> Result<Record, RuntimeError> {
    let (mut results, mut all) = (Vec::new(), Vec::new());
    output.columns(["source", "classes", "2-grams", "distinct", "mean score", "median", "more than half in one class"]);
    for source in sources {
        let path = &source.file.path;
        let labels = source.file.labels()?.ok_or_else(|| {
            RuntimeError::content(path, "its sequences have no classes; sample them from a run whose generator knows classes")
        })?;
        let mut told =
            |done: u64, total: u64, what: &str| progress(done, total, &format!("sequences of {}, {what}", source.name));
        let (scores, distinct, most) = class_dominance_scores(&source.file, &labels, request, &mut told)?;
        if scores.is_empty() {
            let message = format!(
                "no 2-gram of its {} sequences occurs {} times, the most frequent one {most} times; sample more or lower the threshold",
                source.file.count(),
                request.threshold
            );
            return Err(RuntimeError::content(path, message));
        }
        let values: Vec<f64> = scores.iter().map(|gram| gram.score).collect();
        let (mean_score, median_score) = (mean_and_error(&values).0, values[values.len() / 2]);
        let majority_share = values.iter().filter(|&&score| score > 0.5).count() as f64 / values.len() as f64;
        let classes = labels.iter().max().map_or(0, |&last| last as usize + 1);
        let score = |value: f64| format!("{value:.3}");
        let share = format!("{:.1} %", majority_share * 100.0);
        let counts = [classes.to_string(), scores.len().to_string(), distinct.to_string()];
        let [class_count, kept, found] = counts;
        output.row([source.name.clone(), class_count, kept, found, score(mean_score), score(median_score), share]);
        let (source, sequences, kept) = (source.name.clone(), source.file.count(), scores.len());
        let threshold = request.threshold;
        all.push((source.clone(), scores));
        results.push(Scored { source, sequences, classes, threshold, kept, distinct, mean_score, median_score, majority_share });
    }
    write(&mut output, &all)?;
    output.note(format!(
        "The score of a 2-gram is the share of its occurrences in the class that has most of them (equation 9), for 2-grams that occur at \
         least {} times (equation 10). Evenly over all classes it would be one part in their number, {:.3} here (paper, figure 15).",
        request.threshold,
        1.0 / results.first().map_or(1, |first| first.classes) as f64
    ));
    output.finish(&results)
}

fn write(output: &mut Output, all: &[(String, Vec<Dominance>)]) -> Result<(), RuntimeError> {
    let rows = all.iter().flat_map(|(source, scores)| {
        scores.iter().enumerate().map(move |(rank, gram)| {
            let Dominance { first, second, occurrences, class, score } = *gram;
            Row { source, rank, first, second_token: second, occurrences, class, score }
        })
    });
    output.csv("class-dominance", rows)?;
    let series = |(name, scores): &(String, Vec<Dominance>)| {
        let step = scores.len().div_ceil(POINTS);
        let last = scores.len() - 1;
        let shown = (0..last).step_by(step).chain([last]);
        Series { name: name.clone(), points: shown.map(|rank| ((rank + 1) as f64, scores[rank].score)).collect() }
    };
    let plot = Plot {
        x: Axis::linear("2-grams, by score"),
        y: Axis::linear("class dominance score"),
        mark: Mark::Area,
        series: all.iter().map(series).collect(),
    };
    output.plot("class-dominance", &plot, "Class dominance scores of frequent 2-grams, sorted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Tokens;

    #[test]
    fn scores_by_hand() {
        // pairs of the first sequence: 12 21 12 21; of the second: 22 22 21 12; of the third: 33 four times
        let values = vec![1, 2, 1, 2, 1, 2, 2, 2, 1, 2, 3, 3, 3, 3, 3];
        let tokens = Tokens { length: 5, values, labels: vec![0, 1, 1], conditions: None };
        let scores = |threshold, memory| {
            let request = DominanceRequest { threshold, memory };
            class_dominance_scores(&tokens, &tokens.labels, request, &mut |_, _, _| {}).unwrap()
        };
        let (found, distinct, most) = scores(3, 1 << 20);
        assert_eq!((distinct, most), (4, 4));
        let gram = |first, second, occurrences, class, score| Dominance { first, second, occurrences, class, score };
        assert_eq!(found, [gram(3, 3, 4, 1, 1.0), gram(1, 2, 3, 0, 2.0 / 3.0), gram(2, 1, 3, 0, 2.0 / 3.0)]);
        assert_eq!(scores(3, 16).0, found);
        assert!(scores(9, 1 << 20).0.is_empty());
    }
}
