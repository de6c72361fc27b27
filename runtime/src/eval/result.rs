//! Values with their intervals, from all shards together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bootstrap::{deviation_interval, percentile_interval};
use super::card::Card;
use super::frechet::frechet_distance;
use super::metric::{Metric, Value, words};
use super::protocol::Protocol;
use super::set::FeatureSet;
use super::shard::Shard;
use crate::RuntimeError;
use crate::evaluate::CodeCounts;

/// What was measured, and what it takes to get it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalResult {
    /// Version of this layout.
    pub format_version: u32,
    /// The values by name.
    pub metrics: BTreeMap<String, Value>,
    /// How many clips could not be read, and are not in the values.
    pub missing_clips: usize,
    /// The protocol card.
    pub card: Card,
}

/// Values of a whole measurement.
///
/// # Errors
/// When the card holds no protocol that this program has, or there are too few clips.
pub fn finish(shard: &Shard) -> Result<EvalResult, RuntimeError> {
    let protocol: Protocol = serde_json::from_value(shard.card.protocol.clone())
        .map_err(|error| RuntimeError::Request(format!("the card's protocol: {error}")))?;
    let clips = shard.clips.len();
    let mut metrics = BTreeMap::new();
    for &metric in &shard.card.metrics {
        match metric {
            Metric::Rfvd | Metric::Gfvd => {
                metrics.insert(metric.name().to_owned(), distance(shard, &protocol, metric)?);
            }
            Metric::Usage => {
                for name in metric.values() {
                    metrics.insert((*name).to_owned(), of_tokens(shard, &protocol, name));
                }
            }
            _ => {
                let values = &shard.values[metric.name()];
                let mean = |drawn: &[usize]| Some(drawn.iter().map(|&clip| values[clip]).sum::<f64>() / drawn.len() as f64);
                let all: Vec<usize> = (0..clips).collect();
                let value = mean(&all).unwrap_or(f64::NAN);
                let interval = percentile_interval(clips, protocol.resamples, protocol.seed, mean);
                metrics.insert(metric.name().to_owned(), plain(metric.name(), value, interval, clips));
            }
        }
    }
    let card = Card { clip_list_sha256: Some(clip_list(shard)), ..shard.card.clone() };
    Ok(EvalResult { format_version: 1, metrics, missing_clips: shard.missing.len(), card })
}

fn plain(name: &str, value: f64, interval: Option<[f64; 2]>, clips: usize) -> Value {
    let (title, unit, higher_is_better) = words(name);
    Value { name: title.into(), value, interval, clips, unit: unit.symbol().into(), higher_is_better, by_clips: BTreeMap::new() }
}

fn of_tokens(shard: &Shard, protocol: &Protocol, name: &str) -> Value {
    let (clips, length) = (shard.clips.len(), shard.tokens_of_a_clip());
    let statistic = |drawn: &[usize]| {
        let mut counts = CodeCounts::new(shard.codebook);
        for &clip in drawn {
            let tokens: Vec<i64> = shard.tokens[clip * length..(clip + 1) * length].iter().map(|&token| token.into()).collect();
            counts.add(&tokens);
        }
        Some(if name == "code_usage" { counts.usage() } else { counts.perplexity() })
    };
    let all: Vec<usize> = (0..clips).collect();
    let value = statistic(&all).unwrap_or(f64::NAN);
    // fewer different clips use fewer codes
    let interval = deviation_interval(value, clips, protocol.resamples.min(200), protocol.seed, statistic);
    plain(name, value, interval, clips)
}

fn distance(shard: &Shard, protocol: &Protocol, metric: Metric) -> Result<Value, RuntimeError> {
    let (own, letter) = match metric {
        Metric::Rfvd => ("reconstructed", 'r'),
        _ => ("generated", 'g'),
    };
    let set = |name: &str| -> Result<&FeatureSet, RuntimeError> {
        shard.features.get(name).ok_or_else(|| RuntimeError::Request(format!("the shard has no features of {name} clips")))
    };
    let (real, other, by) = (set("real")?, set(own)?, protocol.covariance);
    let clips = shard.clips.len();
    let value = frechet_distance(&real.moments, &other.moments, by);
    let value = value.ok_or_else(|| RuntimeError::Request(format!("`{metric}` needs at least 2 clips, not {clips}")))?;
    let of = |chosen: &[usize]| frechet_distance(&real.moments_of(chosen), &other.moments_of(chosen), by);
    let interval = deviation_interval(value, clips, protocol.distance_resamples, protocol.seed, of);
    let mut by_clips = BTreeMap::from([(clips, value)]);
    for part in [8, 4, 2].into_iter().map(|parts| clips / parts).filter(|part| *part >= 2) {
        let first: Vec<usize> = (0..part).collect();
        by_clips.extend(of(&first).map(|value| (part, value)));
    }
    let distance = shard.card.features.as_ref().map_or("FVD", |features| &features.distance);
    let name = format!("{letter}{distance}");
    Ok(Value { name, value, interval, clips, unit: String::new(), higher_is_better: false, by_clips })
}

/// SHA-256 over `number name start_frame pixels` of every clip.
fn clip_list(shard: &Shard) -> String {
    let mut hasher = Sha256::new();
    for clip in &shard.clips {
        hasher.update(format!("{} {} {} {}\n", clip.number, clip.name, clip.start_frame, clip.sha256));
    }
    crate::data::hexadecimal(&hasher.finalize())
}
