//! The safetensors format: a JSON header, then the values.

use safetensors::tensor::Metadata;
use serde_json::Value;

use super::source::Source;
use super::tensor::{Storage, WeightTensor, row_major};
use super::{Weights, WeightsError};

/// Bytes of the length before the header.
const LENGTH: u64 = 8;

/// The format's own limit of a header.
const LARGEST_HEADER: u64 = 100_000_000;

pub(super) fn read(source: &Source) -> Result<Weights, WeightsError> {
    let length = source.bytes(0, LENGTH)?;
    let (length, _) = length.as_chunks::<{ LENGTH as usize }>();
    let length = length.iter().map(|bytes| u64::from_le_bytes(*bytes)).sum::<u64>();
    if length > LARGEST_HEADER {
        return Err(source.malformed(format!("a header of {length} bytes")));
    }
    let header = source.bytes(LENGTH, length)?;
    // parsing checks too that the tensors lie one behind another and are as large as their shapes say
    let header: Metadata = serde_json::from_slice(&header).map_err(|error| source.malformed(format!("its header: {error}")))?;
    let data = LENGTH + length;
    let end = data.checked_add(header.data_len() as u64);
    if end != Some(source.len) {
        let message =
            format!("it has {} bytes, but its header tells of {}", source.len, data.saturating_add(header.data_len() as u64));
        return Err(source.malformed(message));
    }
    let tensors = header.tensors().into_iter().map(|(name, info)| {
        let elements = info.shape.iter().product::<usize>() as u64;
        let storage = Storage { dtype: info.dtype, start: data + info.data_offsets.0 as u64, elements };
        let tensor = WeightTensor::view(source, &storage, 0, info.shape.clone(), row_major(&info.shape))?;
        Ok((name, tensor))
    });
    let values = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    Ok(Weights { tensors: tensors.collect::<Result<_, WeightsError>>()?, values: Value::Object(values) })
}
