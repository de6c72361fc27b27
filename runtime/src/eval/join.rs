//! Shards of one measurement into the whole.

use std::fs;
use std::path::{Path, PathBuf};

use super::set::FeatureSet;
use super::shard::Shard;
use crate::RuntimeError;
use crate::run::differences;

/// The shards in a folder, with their files.
///
/// # Errors
/// When the folder or a shard cannot be read, or there is none.
pub fn open_shards(folder: &Path) -> Result<Vec<(PathBuf, Shard)>, RuntimeError> {
    let entries = fs::read_dir(folder).map_err(RuntimeError::file("read", folder))?;
    let is_shard = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("shard-") && name.ends_with(".safetensors")
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_shard).collect();
    files.sort();
    if files.is_empty() {
        let message = "it holds no `shard-*.safetensors`; `eval --shard i/n -o DIR` writes them";
        return Err(RuntimeError::content(folder, message));
    }
    files.into_iter().map(|path| Shard::read(&path).map(|shard| (path, shard))).collect()
}

/// All shards of one measurement as a shard of one.
///
/// # Errors
/// When one is missing, there twice, or of another measurement.
pub fn join(shards: Vec<(PathBuf, Shard)>) -> Result<Shard, RuntimeError> {
    let mut shards = shards;
    shards.sort_by_key(|(_, shard)| shard.index);
    let Some((first_path, first)) = shards.first() else {
        return Err(RuntimeError::Request("there is no shard to join".into()));
    };
    let (identity, of) = (first.card.identity(), first.of);
    for (path, shard) in &shards {
        if shard.of != of {
            let message = format!("it is one of {} shards, `{}` one of {of}", shard.of, first_path.display());
            return Err(RuntimeError::content(path, message));
        }
        let other = shard.card.identity();
        if other != identity {
            let message = format!(
                "it is of another measurement than `{}`: {}; move it elsewhere",
                first_path.display(),
                card_differences(&identity, &other).join(", ")
            );
            return Err(RuntimeError::content(path, message));
        }
    }
    if let Some([(a, _), (b, shard)]) = shards.array_windows().find(|[(_, a), (_, b)]| a.index == b.index) {
        let message = format!("shard {} is there twice, also in `{}`; remove one", shard.index, a.display());
        return Err(RuntimeError::content(b, message));
    }
    let missing: Vec<String> =
        (1..=of).filter(|index| shards.iter().all(|(_, shard)| shard.index != *index)).map(|index| index.to_string()).collect();
    if !missing.is_empty() {
        return Err(RuntimeError::Request(format!(
            "of {of} shards {} {} missing: {}; run `eval --shard i/{of}` for each",
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" },
            missing.join(", ")
        )));
    }
    Ok(joined(shards.into_iter().map(|(_, shard)| shard).collect()))
}

/// Rows are sorted by the clips' numbers, moments are merged.
fn joined(shards: Vec<Shard>) -> Shard {
    let mut order: Vec<(usize, usize, usize)> = Vec::new();
    for (index, shard) in shards.iter().enumerate() {
        order.extend(shard.clips.iter().enumerate().map(|(row, clip)| (clip.number, index, row)));
    }
    order.sort_unstable();
    let length = shards.iter().map(Shard::tokens_of_a_clip).max().unwrap_or(0);
    let first = &shards[0];
    let values = first
        .values
        .keys()
        .map(|name| (name.clone(), order.iter().map(|&(_, shard, row)| shards[shard].values[name][row]).collect()));
    let features = first.features.iter().map(|(name, set)| {
        let dim = set.dim();
        let mut whole = FeatureSet::new(dim);
        for &(_, shard, row) in &order {
            whole.rows.extend_from_slice(&shards[shard].features[name].rows[row * dim..(row + 1) * dim]);
        }
        shards.iter().for_each(|shard| whole.moments.merge(&shard.features[name].moments));
        (name.clone(), whole)
    });
    Shard {
        index: 1,
        of: 1,
        card: first.card.clone(),
        clips: order.iter().map(|&(_, shard, row)| shards[shard].clips[row].clone()).collect(),
        missing: shards.iter().flat_map(|shard| shard.missing.iter().copied()).collect(),
        values: values.collect(),
        codebook: first.codebook,
        tokens: order
            .iter()
            .flat_map(|&(_, shard, row)| shards[shard].tokens[row * length..(row + 1) * length].iter().copied())
            .collect(),
        features: features.collect(),
    }
}

fn card_differences(a: &super::card::Card, b: &super::card::Card) -> Vec<String> {
    let (Ok(a), Ok(b)) = (toml::Value::try_from(a), toml::Value::try_from(b)) else { return vec!["its card".into()] };
    let mut found = Vec::new();
    differences("", &a, &b, &mut found);
    found
}
