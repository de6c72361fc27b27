//! The format before PyTorch 1.6: pickles (a magic number, a version, the machine, the objects, the keys of the storages), then for each
//! storage its number of values and the values.

use std::io::{BufRead, Seek};

use super::flatten::{Places, flatten};
use super::node::{Id, Node};
use super::pickle::Pickle;
use crate::weights::source::Source;
use crate::weights::tensor::bytes_of;
use crate::weights::{Weights, WeightsError};

/// `torch.serialization.MAGIC_NUMBER`.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;

/// `torch.serialization.PROTOCOL_VERSION`.
const VERSION: i128 = 1001;

/// Bytes of a storage's number of values.
const COUNT: u64 = 8;

pub(in crate::weights) fn read(source: &Source) -> Result<Weights, WeightsError> {
    let mut reader = source.reader()?;
    let mut pickle = Pickle::default();
    let magic = next(source, &mut pickle, &mut reader)?;
    if !matches!(pickle.nodes[magic], Node::Int(MAGIC)) {
        return Err(source.malformed("it is a pickle, but not one of `torch.save`"));
    }
    let version = next(source, &mut pickle, &mut reader)?;
    if !matches!(pickle.nodes[version], Node::Int(VERSION)) {
        return Err(source.malformed("it is of an unknown version of PyTorch's old format"));
    }
    let machine = next(source, &mut pickle, &mut reader)?;
    if !little_endian(&pickle, machine) {
        return Err(source.malformed("its byte order is not little-endian"));
    }
    let root = next(source, &mut pickle, &mut reader)?;
    let keys = next(source, &mut pickle, &mut reader)?;
    let mut at = reader.stream_position().map_err(|error| source.io(error))?;
    let mut places = Places::new();
    for key in texts(&pickle, keys).ok_or_else(|| source.malformed("the keys of its storages are not texts"))? {
        let Some((dtype, elements)) = pickle.storages.get(&key) else {
            return Err(source.malformed(format!("the storage `{key}` belongs to no tensor")));
        };
        let count = source.bytes(at, COUNT)?;
        let (count, _) = count.as_chunks::<{ COUNT as usize }>();
        if count != [elements.to_le_bytes()] {
            return Err(
                source.malformed(format!("the storage `{key}` does not have the {elements} values that its tensors expect"))
            );
        }
        let end = elements
            .checked_mul(bytes_of(*dtype))
            .and_then(|bytes| bytes.checked_add(at + COUNT))
            .filter(|end| *end <= source.len);
        places.insert(key.clone(), at + COUNT);
        at = end.ok_or_else(|| source.malformed(format!("it ends within the storage `{key}`")))?;
    }
    flatten(&pickle, root, source, &places)
}

fn next(source: &Source, pickle: &mut Pickle, reader: &mut impl BufRead) -> Result<Id, WeightsError> {
    pickle.read(reader).map_err(|refusal| source.refuse(refusal))
}

fn little_endian(pickle: &Pickle, machine: Id) -> bool {
    let Node::Dict { items, .. } = &pickle.nodes[machine] else { return false };
    items.iter().any(|(key, value)| {
        matches!(&pickle.nodes[*key], Node::Text(key) if key == "little_endian")
            && matches!(pickle.nodes[*value], Node::Bool(true))
    })
}

fn texts(pickle: &Pickle, list: Id) -> Option<Vec<String>> {
    let Node::List(items) = &pickle.nodes[list] else { return None };
    let text = |id: &Id| match &pickle.nodes[*id] {
        Node::Text(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().map(text).collect()
}
