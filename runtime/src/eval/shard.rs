//! What one process measured: a file that joins with those of others.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use nalgebra::{DMatrix, DVector};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::card::Card;
use super::moments::Moments;
use super::set::FeatureSet;
use crate::RuntimeError;
use crate::media::write_atomically;

const HEADER: &str = "shard";

/// A clip that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipEntry {
    /// Its number in the protocol, from 0.
    pub number: usize,
    /// Path below the data set's root.
    pub name: String,
    /// First frame in its source.
    pub start_frame: usize,
    /// SHA-256 of its pixels.
    pub sha256: String,
}

/// Everything measured on some of the clips.
#[derive(Debug, Clone, PartialEq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
    /// What it was measured with.
    pub card: Card,
    /// The clips, in the order of all rows below.
    pub clips: Vec<ClipEntry>,
    /// Numbers of clips that could not be read.
    pub missing: Vec<usize>,
    /// A value for each clip, by metric.
    pub values: BTreeMap<String, Vec<f64>>,
    /// Number of codes; 0 where tokens were not kept.
    pub codebook: usize,
    /// Tokens of each clip, `[clips, tokens]`; empty where they were not asked for.
    pub tokens: Vec<i32>,
    /// `real`, `reconstructed`, `generated`.
    pub features: BTreeMap<String, FeatureSet>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format_version: u32,
    index: usize,
    of: usize,
    card: Card,
    clips: Vec<ClipEntry>,
    missing: Vec<usize>,
    codebook: usize,
    counts: BTreeMap<String, u64>,
}

/// `shard-003-of-008.safetensors`.
pub fn shard_name(index: usize, of: usize) -> String {
    format!("shard-{index:03}-of-{of:03}.safetensors")
}

fn bytes<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

impl Shard {
    /// Tokens a clip.
    pub fn tokens_of_a_clip(&self) -> usize {
        self.tokens.len() / self.clips.len().max(1)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RuntimeError> {
        let clips = self.clips.len();
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, values) in &self.values {
            tensors.push((format!("value.{name}"), Dtype::F64, vec![clips], bytes(values, f64::to_le_bytes)));
        }
        let shape = vec![clips, self.tokens_of_a_clip()];
        tensors.push(("tokens".into(), Dtype::I32, shape, bytes(&self.tokens, i32::to_le_bytes)));
        for (name, set) in &self.features {
            let (dim, moments) = (set.dim(), &set.moments);
            let mut double = |part: &str, shape: Vec<usize>, values: &[f64]| {
                tensors.push((format!("features.{name}.{part}"), Dtype::F64, shape, bytes(values, f64::to_le_bytes)));
            };
            double("mean", vec![dim], moments.mean.as_slice());
            // symmetric: rows are columns
            double("scatter", vec![dim, dim], moments.scatter.as_slice());
            tensors.push((format!("features.{name}.rows"), Dtype::F32, vec![clips, dim], bytes(&set.rows, f32::to_le_bytes)));
        }
        let header = Header {
            format_version: 1,
            index: self.index,
            of: self.of,
            card: self.card.clone(),
            clips: self.clips.clone(),
            missing: self.missing.clone(),
            codebook: self.codebook,
            counts: self.features.iter().map(|(name, set)| (name.clone(), set.moments.count)).collect(),
        };
        let header = serde_json::to_string(&header).map_err(|error| RuntimeError::content(path, error))?;
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let file = views
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from([(HEADER.to_owned(), header)]))))
            .map_err(|error| RuntimeError::content(path, error))?;
        write_atomically(path, |path| fs::write(path, &file).map_err(RuntimeError::file("write", path)))
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the file cannot be read or is no shard.
    pub fn read(path: &Path) -> Result<Self, RuntimeError> {
        let wrong = |message: String| RuntimeError::content(path, format!("{message}; it is no whole shard of `eval`"));
        let data = fs::read(path).map_err(RuntimeError::file("read", path))?;
        let (_, metadata) = SafeTensors::read_metadata(&data).map_err(|error| wrong(error.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|all| all.get(HEADER)).ok_or_else(|| wrong("no header".into()))?;
        let header: Header = serde_json::from_str(header).map_err(|error| wrong(error.to_string()))?;
        let file = SafeTensors::deserialize(&data).map_err(|error| wrong(error.to_string()))?;
        let tensor = |name: &str, dtype: Dtype, count: Option<usize>| {
            let view = file.tensor(name).map_err(|error| wrong(error.to_string()))?;
            let found: usize = view.shape().iter().product();
            if view.dtype() != dtype || count.is_some_and(|count| count != found) {
                return Err(wrong(format!("`{name}` is {:?} {:?}", view.dtype(), view.shape())));
            }
            Ok(view.data().to_vec())
        };
        let doubles = |name: &str, count: usize| {
            let data = tensor(name, Dtype::F64, Some(count))?;
            Ok::<_, RuntimeError>(data.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<_>>())
        };
        let clips = header.clips.len();
        let mut values = BTreeMap::new();
        for name in file.names().into_iter().filter_map(|name| name.strip_prefix("value.")) {
            values.insert(name.to_owned(), doubles(&format!("value.{name}"), clips)?);
        }
        let tokens = tensor("tokens", Dtype::I32, None)?;
        let tokens = tokens.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect();
        let mut features = BTreeMap::new();
        for (name, count) in header.counts {
            let dim = header.card.features.as_ref().map_or(0, |features| features.dim);
            let rows = tensor(&format!("features.{name}.rows"), Dtype::F32, Some(clips * dim))?;
            let moments = Moments {
                count,
                mean: DVector::from_vec(doubles(&format!("features.{name}.mean"), dim)?),
                scatter: DMatrix::from_vec(dim, dim, doubles(&format!("features.{name}.scatter"), dim * dim)?),
            };
            let rows = rows.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            features.insert(name, FeatureSet { rows, moments });
        }
        let Header { index, of, card, clips, missing, codebook, .. } = header;
        Ok(Self { index, of, card, clips, missing, values, codebook, tokens, features })
    }
}
