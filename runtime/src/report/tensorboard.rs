//! TensorBoard event files with scalars.
//!
//! The crates that write such files are unmaintained and need `protoc` or decode libraries; three messages
//! through `prost` and the TFRecord framing are all that scalars take.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;

use super::error::ReportError;
use super::record::MetricRecord;
use crate::media::FileError;

// Field numbers as in tensorboard/compat/proto/event.proto and summary.proto.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Scalars>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalars {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    // part of a oneof: written even when zero
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// Writes one event file; a resumed run adds another beside it, which TensorBoard joins.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Starts a new event file in `folder`, which is made when missing.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(folder: &Path) -> Result<Self, ReportError> {
        fs::create_dir_all(folder).map_err(FileError::at("create the folder", folder))?;
        let seconds = now().as_secs();
        let mut attempt = 0;
        let (path, file) = loop {
            // TensorBoard orders the files of a folder by name, so the time comes first
            let name = format!("events.out.tfevents.{seconds:010}.larp.{}.{attempt}", std::process::id());
            let path = folder.join(name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => attempt += 1,
                outcome => break (path.clone(), outcome.map_err(FileError::at("create", &path))?),
            }
        };
        let mut writer = Self { path, file };
        let version = Some("brain.Event:2".to_owned());
        writer.append(&Event { wall_time: now().as_secs_f64(), file_version: version, ..Event::default() })?;
        Ok(writer)
    }

    /// Appends the values of a record under tags such as `tokenizer/train/loss`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, record: &MetricRecord) -> Result<(), ReportError> {
        let scalar = |(name, value): (&String, &f64)| Scalar {
            tag: format!("{}/{}/{name}", record.stage, record.split),
            simple_value: Some(*value as f32),
        };
        let summary = Some(Scalars { value: record.values.iter().map(scalar).collect() });
        let step = i64::try_from(record.step).unwrap_or(i64::MAX);
        self.append(&Event { wall_time: now().as_secs_f64(), step, file_version: None, summary })
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append(&mut self, event: &Event) -> Result<(), ReportError> {
        let record = framed(&event.encode_to_vec());
        let written = self.file.write_all(&record).and_then(|()| self.file.flush());
        Ok(written.map_err(FileError::at("append to", &self.path))?)
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A TFRecord: length, checksum of the length, data, checksum of the data.
fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_checksum(&length), data, &masked_checksum(data)].concat()
}

fn masked_checksum(data: &[u8]) -> [u8; 4] {
    // tensorflow/core/lib/hash/crc32c.h, Mask
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::{MetricSplit, Stage};

    fn events(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            let end = 4 + u64::from_le_bytes(*length) as usize;
            assert_eq!(rest[..4], masked_checksum(length));
            assert_eq!(rest[end..end + 4], masked_checksum(&rest[4..end]));
            events.push(Event::decode(&rest[4..end]).unwrap());
            bytes = &rest[end + 4..];
        }
        events
    }

    #[test]
    fn the_checksum_is_the_masked_castagnoli_one() {
        // RFC 3720 B.4: 32 zero bytes have the checksum 8a9136aa
        let expected = 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_checksum(&[0; 32]), expected.to_le_bytes());
    }

    #[test]
    fn scalars_carry_step_and_tag() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path()).unwrap();
        let values = [("l1".to_owned(), 0.0), ("loss".to_owned(), f64::NAN)].into();
        let (stage, split) = (Stage::Tokenizer, MetricSplit::Train);
        writer.write(&MetricRecord { stage, split, step: 12, elapsed_seconds: 1.0, values }).unwrap();
        let events = events(&fs::read(writer.path()).unwrap());
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        let scalars = &events[1].summary.as_ref().unwrap().value;
        assert_eq!((events[1].step, scalars[0].tag.as_str()), (12, "tokenizer/train/l1"));
        assert_eq!(scalars[0].simple_value, Some(0.0));
        assert!(scalars[1].simple_value.unwrap().is_nan());
    }

    #[test]
    fn two_writers_in_one_second_use_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (EventWriter::create(folder.path()).unwrap(), EventWriter::create(folder.path()).unwrap());
        assert_ne!(first.path(), second.path());
    }
}
