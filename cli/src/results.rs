//! Metrics in words and tables.

use std::collections::BTreeMap;

use larp_runtime::report::{METRICS, Stage, Summary, Unit, metric_info};

use crate::output::{Side, table};
use crate::progress::duration;

/// `Loss 0.4301, PSNR 23.10 dB`: the known metrics in their order, then the others by name.
pub fn metrics_in_words(values: &BTreeMap<String, f64>) -> String {
    let known = METRICS.iter().filter_map(|info| Some((info.title, info.unit, *values.get(info.name)?)));
    let others = values.iter().filter(|(name, _)| metric_info(name).is_none());
    let others = others.map(|(name, value)| (name.as_str(), Unit::Plain, *value));
    known.chain(others).map(|(title, unit, value)| format!("{title} {}", in_unit(value, unit))).collect::<Vec<_>>().join(", ")
}

/// A value with its unit.
pub fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format!("{:.1} %", value * 100.0),
        Unit::Decibels => format!("{value:.2} dB"),
        Unit::Codes => format!("{value:.1} codes"),
        Unit::ClipsPerSecond => format!("{value:.0} clips/s"),
        Unit::NatsPerToken => format!("{value:.3} nats"),
        Unit::BitsPerToken => format!("{value:.3} bits"),
        Unit::Plain => format!("{value:.4}"),
    }
}

/// What a run came to, one line a number that matters, beside what it is to be compared with.
pub fn summary_table(summary: &Summary, vocab_size: usize) -> String {
    let mut rows = Vec::new();
    for stage in &summary.stages {
        let time = duration(stage.seconds);
        rows.push(vec![stage.stage.to_string(), format!("{} steps", stage.steps), time]);
        let mut add = |name: &str, beside: String| {
            if let (Some(info), Some(value)) = (metric_info(name), stage.metrics.get(name)) {
                rows.push(vec![format!("  {}", info.title), in_unit(*value, info.unit), beside]);
            }
        };
        match stage.stage {
            Stage::Tokenizer => {
                let still = stage.metrics.get("mean_frame_psnr").map(|value| in_unit(*value, Unit::Decibels));
                add("psnr", still.map(|still| format!("{still} for each clip's mean frame")).unwrap_or_default());
                add("code_usage", format!("of {vocab_size} codes"));
                add("prior_nll", format!("{} for uniform tokens", in_unit((vocab_size as f64).ln(), Unit::NatsPerToken)));
            }
            Stage::Generator => {
                let uniform = in_unit((vocab_size as f64).log2(), Unit::BitsPerToken);
                add("bits_per_token", format!("{uniform} for uniform tokens"));
                add("accuracy", "of tokens guessed right".into());
                let copied = stage.metrics.get("last_frame_psnr").map(|value| in_unit(*value, Unit::Decibels));
                add(
                    "prediction_psnr",
                    copied.map(|copied| format!("{copied} for a copy of the last given frame")).unwrap_or_default(),
                );
                add("onward", "of held-out clips, rather than turning back".into());
            }
        }
    }
    table(&[Side::Left, Side::Right, Side::Left], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_metrics_come_first_in_their_units() {
        let values = [("custom", 2.0), ("code_usage", 0.5), ("psnr", 20.0)].map(|(name, value)| (name.to_owned(), value));
        assert_eq!(metrics_in_words(&values.into()), "PSNR 20.00 dB, Code usage 50.0 %, custom 2.0000");
    }
}
