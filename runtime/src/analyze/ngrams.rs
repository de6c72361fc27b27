//! How often the n-grams of token sequences occur (paper, appendix B.4 and Figures 12 to 14).

use serde::Serialize;

use super::grams::{Grams, Histogram, HistogramSummary, Sequences};
use super::output::{Output, Record};
use super::plot::{Axis, Mark, Plot, Series};
use super::{OnProgress, SequenceSource};
use crate::RuntimeError;

/// Bars for each factor of 10.
const BARS_A_DECADE: f64 = 12.0;
/// Bars of the linear plot.
const BARS: u64 = 80;

/// What to analyse.
#[derive(Debug, Clone)]
pub struct NgramRequest {
    /// Tokens of the n-grams; 2 and 3 in the paper.
    pub sizes: Vec<usize>,
    /// A second plot shows n-grams that are less frequent than this (Figure 13).
    pub below: u64,
    /// Bytes that counting may take.
    pub memory: u64,
}

#[derive(Debug, Serialize)]
struct Counted {
    source: String,
    sequences: usize,
    length: usize,
    /// The largest token and 1.
    vocab: usize,
    n: usize,
    #[serde(flatten)]
    summary: HistogramSummary,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    source: &'a str,
    frequency: u64,
    ngrams: u64,
}

/// Histograms of the frequencies of n-grams, of several sources in one plot.
///
/// # Errors
/// When a source cannot be read or counted, or a file cannot be written.
pub fn ngrams(
    sources: &[SequenceSource],
    request: &NgramRequest,
    mut output: Output,
    progress: OnProgress<'_>,
) -> Result<Record, RuntimeError> {
    let mut results = Vec::new();
    output.columns(["n", "source", "n-grams", "distinct", "most frequent", "entropy", "top 1 % has"]);
    for &n in &request.sizes {
        let mut histograms = Vec::new();
        for source in sources {
            let mut histogram = Histogram::default();
            let grams = Grams { n, labels: None, memory: request.memory };
            let mut told =
                |done: u64, total: u64, what: &str| progress(done, total, &format!("sequences of {}, {what}", source.name));
            let vocab = grams.count(&source.file, &mut told, &mut |_, _, count| histogram.add(count))?;
            let summary = histogram.summary();
            let numbers = [summary.occurrences, summary.distinct, summary.most].map(|value| value.to_string());
            let [all, distinct, most] = numbers;
            let (entropy, share) =
                (format!("{:.3} bits", summary.entropy_bits), format!("{:.1} %", summary.top_percent_share * 100.0));
            output.row([n.to_string(), source.name.clone(), all, distinct, most, entropy, share]);
            let (sequences, length) = (source.file.count(), source.file.length());
            results.push(Counted { source: source.name.clone(), sequences, length, vocab, n, summary });
            histograms.push((source.name.as_str(), histogram));
        }
        write(&mut output, n, &histograms, request.below)?;
    }
    if let [first, second, ..] = sources
        && (first.file.count(), first.file.length()) != (second.file.count(), second.file.length())
    {
        output
            .note("The sources differ in number or length of their sequences: their frequencies are not comparable one to one.");
    }
    output.note(
        "Many n-grams of like frequency make a steep histogram: sequences close to uniform. A long tail to the right means that few \
         n-grams come again and again: sequences with autoregressive structure (paper, figures 12 to 14). The counts are exact.",
    );
    output.finish(&results)
}

fn write(output: &mut Output, n: usize, histograms: &[(&str, Histogram)], below: u64) -> Result<(), RuntimeError> {
    let rows = histograms
        .iter()
        .flat_map(|(source, histogram)| histogram.entries().map(move |(frequency, ngrams)| Row { source, frequency, ngrams }));
    output.csv(&format!("{n}-grams"), rows)?;
    let most = histograms.iter().filter_map(|(_, histogram)| histogram.entries().next_back()).map(|(count, _)| count).max();
    let most = most.unwrap_or(1);
    let plot = |x: Axis, edges: &[u64]| {
        let series = |(name, histogram): &(&str, Histogram)| Series { name: (*name).into(), points: bars(histogram, edges) };
        let y = Axis::logarithmic(&format!("distinct {n}-grams"));
        Plot { x, y, mark: Mark::Bars, series: histograms.iter().map(series).collect() }
    };
    let decades = plot(Axis::logarithmic("occurrences"), &decades(most));
    output.plot(&format!("{n}-grams"), &decades, &format!("Distinct {n}-grams by how often they occur"))?;
    // as in the figure, the part that most n-grams are in, in equal steps
    let end = most.min(below.saturating_sub(1)).max(1) + 1;
    let caption = format!("Distinct {n}-grams that occur less than {end} times");
    output.plot(&format!("{n}-grams-below"), &plot(Axis::linear("occurrences"), &steps(end)), &caption)
}

/// Edges of bars of equal ratio from 1 to beyond `most`.
fn decades(most: u64) -> Vec<u64> {
    let mut edges: Vec<u64> =
        (0..).map(|bar| 10f64.powf(f64::from(bar) / BARS_A_DECADE).round() as u64).take_while(|&edge| edge <= most).collect();
    edges.push(10f64.powf((edges.len() as f64) / BARS_A_DECADE).round() as u64);
    edges.dedup();
    if edges.last().is_none_or(|&last| last <= most) {
        edges.push(most + 1);
    }
    edges
}

/// Edges of bars of equal width from 1 to `end`.
fn steps(end: u64) -> Vec<u64> {
    let width = (end - 1).div_ceil(BARS).max(1);
    let mut edges: Vec<u64> = (0..).map(|bar| 1 + bar * width).take_while(|&edge| edge < end).collect();
    edges.push(edges.last().map_or(end, |last| last + width));
    edges
}

/// Left edges and distinct n-grams between them and the next ones; the last point is the end of the last bar.
fn bars(histogram: &Histogram, edges: &[u64]) -> Vec<(f64, f64)> {
    let mut numbers = vec![0; edges.len()];
    for (count, number) in histogram.entries() {
        let bar = edges.partition_point(|&edge| edge <= count);
        if bar > 0 && bar < edges.len() {
            numbers[bar - 1] += number;
        }
    }
    // a bar of one n-gram is seen too on a logarithmic axis
    let height = |number: u64| if number == 0 { 0.5 } else { number as f64 };
    edges.iter().zip(numbers).map(|(&edge, number)| (edge as f64, height(number))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ngram_is_in_one_bar() {
        let mut histogram = Histogram::default();
        let counts = [1, 1, 2, 3, 9, 10, 11, 99, 100, 101, 5000];
        counts.into_iter().for_each(|count| histogram.add(count));
        for edges in [decades(5000), steps(5001)] {
            assert!(
                edges[0] == 1 && edges.is_sorted_by(|a, b| a < b) && edges.last().is_some_and(|&last| last > 5000),
                "{edges:?}"
            );
            let total: f64 = bars(&histogram, &edges).iter().map(|&(_, height)| height).filter(|&height| height >= 1.0).sum();
            assert_eq!(total, counts.len() as f64);
        }
        let first = bars(&histogram, &decades(5000));
        assert_eq!(first[..3], [(1.0, 2.0), (2.0, 1.0), (3.0, 1.0)]);
    }

    #[test]
    fn the_plot_of_rare_ngrams_leaves_out_the_others() {
        let mut histogram = Histogram::default();
        [1, 4, 5, 90].into_iter().for_each(|count| histogram.add(count));
        assert_eq!(bars(&histogram, &steps(6)), [(1.0, 1.0), (2.0, 0.5), (3.0, 0.5), (4.0, 1.0), (5.0, 1.0), (6.0, 0.5)]);
        assert_eq!([decades(1), steps(2)], [vec![1, 2], vec![1, 2]]);
    }
}
