//! The headline numbers of a stage.

use serde::Serialize;

use super::format;
use super::metric_names::metric_info;
use super::record::{MetricRecord, MetricSplit, Stage};
use super::summary::Summary;

/// Metrics with a card, in order.
fn headline(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Tokenizer => &["psnr", "l1", "code_usage", "perplexity", "prior_nll", "prior_accuracy", "clips_per_second"],
        Stage::Generator => &["prediction_psnr", "onward", "nll", "bits_per_token", "accuracy", "clips_per_second"],
    }
}

/// A number on the page.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Card {
    title: &'static str,
    value: String,
    unit: &'static str,
    /// The number seen beside its baseline.
    comparison: Option<String>,
    /// Where the number comes from.
    origin: String,
    explanation: &'static str,
}

/// The cards of a stage for which there is a number.
pub(super) fn cards(records: &[MetricRecord], summary: Option<&Summary>, stage: Stage) -> Vec<Card> {
    let source = Source { records, summary, stage };
    headline(stage).iter().filter_map(|name| card(&source, name)).collect()
}

fn card(source: &Source, name: &str) -> Option<Card> {
    let info = metric_info(name)?;
    let (value, origin) = source.find(name)?;
    let baseline = info.baseline.and_then(|name| Some((metric_info(name)?, source.find(name)?.0)));
    let comparison = baseline.map(|(of, baseline)| {
        // `Mean-frame PSNR` is the mean-frame baseline of the PSNR
        let what = of.title.trim_end_matches(" PSNR").to_lowercase();
        let gain = value - baseline;
        let sign = if gain > 0.0 { "+" } else { "" };
        format!(
            "{sign}{} against the {what} baseline of {}",
            format::with_unit(gain, info.unit),
            format::with_unit(baseline, info.unit)
        )
    });
    Some(Card {
        title: info.title,
        value: format::in_unit(value, info.unit),
        unit: info.unit.symbol(),
        comparison,
        origin,
        explanation: info.explanation,
    })
}

struct Source<'a> {
    records: &'a [MetricRecord],
    summary: Option<&'a Summary>,
    stage: Stage,
}

impl Source<'_> {
    /// The value in the summary, else the last one in validation, else the last one in training.
    fn find(&self, name: &str) -> Option<(f64, String)> {
        let stage = self.summary.and_then(|summary| summary.stages.iter().find(|stage| stage.stage == self.stage));
        if let Some(value) = stage.and_then(|stage| stage.metrics.get(name)) {
            return Some((*value, "at the end".to_owned()));
        }
        if name == "clips_per_second" {
            // single steps vary with what else the machine does
            return self.median(name).map(|value| (value, "median of training".to_owned()));
        }
        self.last(name, MetricSplit::Validation).or_else(|| self.last(name, MetricSplit::Train))
    }

    fn last(&self, name: &str, split: MetricSplit) -> Option<(f64, String)> {
        let of_stage = self.records.iter().filter(|record| record.stage == self.stage && record.split == split);
        let (step, value) =
            of_stage.filter_map(|record| Some((record.step, *record.values.get(name)?))).max_by_key(|(step, _)| *step)?;
        let step = format::count(i64::try_from(step).unwrap_or(i64::MAX));
        Some((value, format!("{split}, step {step}")))
    }

    fn median(&self, name: &str) -> Option<f64> {
        let of_stage = self.records.iter().filter(|record| record.stage == self.stage);
        let mut values: Vec<f64> = of_stage.filter_map(|record| record.values.get(name).copied()).collect();
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(split: MetricSplit, step: u64, values: &[(&str, f64)]) -> MetricRecord {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        MetricRecord { stage: Stage::Tokenizer, split, step, elapsed_seconds: 0.0, values }
    }

    #[test]
    fn psnr_is_compared_with_the_mean_frame() {
        let records = [
            record(MetricSplit::Validation, 1, &[("psnr", 10.0)]),
            record(MetricSplit::Validation, 1000, &[("psnr", 21.5), ("mean_frame_psnr", 20.0)]),
        ];
        let cards = cards(&records, None, Stage::Tokenizer);
        assert_eq!(cards.len(), 1);
        assert_eq!((cards[0].value.as_str(), cards[0].origin.as_str()), ("21.50", "validation, step 1\u{202f}000"));
        let comparison = cards[0].comparison.as_deref().unwrap();
        assert_eq!(comparison, "+1.50\u{a0}dB against the mean-frame baseline of 20.00\u{a0}dB");
    }

    #[test]
    fn throughput_is_the_median() {
        let rates = [5.0, 100.0, 6.0, f64::NAN, 4.0, 7.0];
        let records = rates.map(|rate| record(MetricSplit::Train, 1, &[("clips_per_second", rate)]));
        assert_eq!(cards(&records, None, Stage::Tokenizer)[0].value, "6");
    }
}
