//! The format since PyTorch 1.6: a zip archive of one pickle and a file for each storage.

use std::io::{BufReader, Read};

use zip::read::ZipArchive;
use zip::{CompressionMethod, result::ZipError};

use super::flatten::{Places, flatten};
use super::pickle::Pickle;
use crate::weights::source::Source;
use crate::weights::tensor::bytes_of;
use crate::weights::{Weights, WeightsError};

pub(in crate::weights) fn read(source: &Source) -> Result<Weights, WeightsError> {
    let mut archive = ZipArchive::new(source.reader()?).map_err(|error| fail(source, "its archive", error))?;
    let name = archive.file_names().flatten().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
    let name = name.map(|name| name.into_owned()).ok_or_else(|| source.malformed("its archive has no `data.pkl`"))?;
    let folder = name.trim_end_matches("data.pkl");
    if let Some((start, length)) = place(source, &mut archive, &format!("{folder}byteorder"))? {
        let order = source.bytes(start, length.min(16))?;
        if order != b"little" {
            return Err(source.malformed(format!("its byte order is `{}`, expected `little`", String::from_utf8_lossy(&order))));
        }
    }
    let mut pickle = Pickle::default();
    let entry = archive.by_name(&name).map_err(|error| fail(source, &name, error))?;
    let root = pickle.read(&mut BufReader::new(entry.take(u64::MAX))).map_err(|refusal| source.refuse(refusal))?;
    let mut places = Places::new();
    for (key, (dtype, elements)) in &pickle.storages {
        let name = format!("{folder}data/{key}");
        let (start, length) =
            place(source, &mut archive, &name)?.ok_or_else(|| source.malformed(format!("its archive has no `{name}`")))?;
        if elements.checked_mul(bytes_of(*dtype)).is_none_or(|needed| needed > length) {
            return Err(source.malformed(format!("`{name}` has {length} bytes, too few for {elements} values of type {dtype}")));
        }
        places.insert(key.clone(), start);
    }
    flatten(&pickle, root, source, &places)
}

/// First byte and length of an entry that is stored as it is.
fn place<R: Read + std::io::Seek>(
    source: &Source,
    archive: &mut ZipArchive<R>,
    name: &str,
) -> Result<Option<(u64, u64)>, WeightsError> {
    let Some(index) = archive.index_for_name(name) else { return Ok(None) };
    let entry = archive.by_index_raw(index).map_err(|error| fail(source, name, error))?;
    if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
        return Err(source.malformed(format!("`{name}` is compressed, which PyTorch never does")));
    }
    let start = entry.data_start().ok_or_else(|| source.malformed(format!("`{name}` has no data")))?;
    Ok(Some((start, entry.size())))
}

fn fail(source: &Source, what: &str, error: ZipError) -> WeightsError {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => source.io(error),
        error => source.malformed(format!("{what}: {error}")),
    }
}
