//! Token sequences on disk, read and written a part at a time.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use larp_traits::tensor::ints_to_host;
use larp_traits::{ConditionKind, Stream};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::OnProgress;
use super::grams::Sequences;
use crate::RuntimeError;
use crate::media::write_atomically;
use crate::pipeline::{PipelineError, SamplingSettings};
use crate::tokens::NO_CLASS;
use crate::use_run::{GENERATED_AT_ONCE, TrainedRun, generate_tokens};

/// Bytes that are read at a time, about.
const PART: usize = 4 << 20;

/// A longer header is none.
const LONGEST_HEADER: u64 = 100 << 20;

/// A safetensors file of `tokens [sequences, length]` and perhaps `labels [sequences]`, int32, as `tokenize` and the analyses write it. It
/// is never in memory as a whole.
#[derive(Debug, Clone)]
pub struct TokenFile {
    /// Where it is.
    pub path: PathBuf,
    sequences: usize,
    length: usize,
    tokens_at: u64,
    labels_at: Option<u64>,
}

impl TokenFile {
    /// Reads the header.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn open(path: &Path) -> Result<Self, RuntimeError> {
        let mut file = File::open(path).map_err(RuntimeError::file("read", path))?;
        let size = file.metadata().map_err(RuntimeError::file("read", path))?.len();
        let no_file = || RuntimeError::content(path, "it is no safetensors file of tokens, such as `tokenize` writes");
        let mut start = [0; 8];
        file.read_exact(&mut start).map_err(|_| no_file())?;
        let header = u64::from_le_bytes(start);
        if header > LONGEST_HEADER.min(size) {
            return Err(no_file());
        }
        let mut text = vec![0; header as usize];
        file.read_exact(&mut text).map_err(|_| no_file())?;
        let metadata: Metadata = serde_json::from_slice(&text).map_err(|_| no_file())?;
        let ints = |name: &str, info: &TensorInfo| -> Result<u64, RuntimeError> {
            let bytes = info.shape.iter().try_fold(4_usize, |bytes, &size| bytes.checked_mul(size));
            let (from, to) = info.data_offsets;
            let fits = bytes.is_some_and(|bytes| from.checked_add(bytes) == Some(to)) && 8 + header + to as u64 <= size;
            match info.dtype == Dtype::I32 && fits {
                true => Ok(8 + header + from as u64),
                false => Err(RuntimeError::content(path, format!("`{name}` is not whole int32 data, but {:?}", info.dtype))),
            }
        };
        let tokens = metadata.info("tokens").ok_or_else(|| RuntimeError::content(path, "it holds no tensor `tokens`"))?;
        let &[sequences, length] = &tokens.shape[..] else {
            return Err(RuntimeError::content(path, format!("`tokens` of shape {:?}, not [sequences, length]", tokens.shape)));
        };
        let labels_at = metadata.info("labels").map(|labels| match labels.shape[..] == [sequences] {
            true => ints("labels", labels),
            false => Err(RuntimeError::content(path, format!("{:?} `labels` for {sequences} sequences", labels.shape))),
        });
        let tokens_at = ints("tokens", tokens)?;
        Ok(Self { path: path.to_owned(), sequences, length, tokens_at, labels_at: labels_at.transpose()? })
    }

    /// The class of each sequence; `None` where a sequence has none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn labels(&self) -> Result<Option<Vec<i32>>, RuntimeError> {
        let Some(at) = self.labels_at else { return Ok(None) };
        let mut labels = Vec::with_capacity(self.sequences);
        self.read(at, self.sequences, self.sequences.clamp(1, PART / 4), &mut |_, part| labels.extend_from_slice(part))?;
        Ok((!labels.contains(&NO_CLASS)).then_some(labels))
    }

    /// Hands over `count` numbers from a place in the file on, `part` at a time.
    fn read(&self, at: u64, count: usize, part: usize, visit: &mut dyn FnMut(usize, &[i32])) -> Result<(), RuntimeError> {
        let mut file = File::open(&self.path).map_err(RuntimeError::file("read", &self.path))?;
        file.seek(SeekFrom::Start(at)).map_err(RuntimeError::file("read", &self.path))?;
        let mut file = BufReader::with_capacity(PART, file);
        let (mut bytes, mut numbers) = (vec![0; part * 4], Vec::with_capacity(part));
        let mut done = 0;
        while done < count {
            let bytes = &mut bytes[..part.min(count - done) * 4];
            file.read_exact(bytes).map_err(RuntimeError::file("read", &self.path))?;
            numbers.clear();
            numbers.extend(bytes.as_chunks::<4>().0.iter().map(|number| i32::from_le_bytes(*number)));
            visit(done, &numbers);
            done += numbers.len();
        }
        Ok(())
    }
}

impl Sequences for TokenFile {
    fn count(&self) -> usize {
        self.sequences
    }

    fn length(&self) -> usize {
        self.length
    }

    fn scan(&self, visit: &mut dyn FnMut(usize, &[i32])) -> Result<(), RuntimeError> {
        let length = self.length.max(1);
        let part = (PART / 4 / length).max(1) * length;
        self.read(self.tokens_at, self.sequences * self.length, part, &mut |at, tokens| visit(at / length, tokens))
    }
}

/// Writes sequences as they come, so that a million of them are never in memory.
pub(super) fn write_sequences(
    path: &Path,
    [sequences, length]: [usize; 2],
    labels: &[i32],
    metadata: &HashMap<String, String>,
    mut next: impl FnMut(usize) -> Vec<i32>,
) -> Result<TokenFile, RuntimeError> {
    let (tokens, end) = (sequences * length * 4, (sequences * length + sequences) * 4);
    let info =
        |shape: &[usize], from: usize, to: usize| serde_json::json!({"dtype": "I32", "shape": shape, "data_offsets": [from, to]});
    let header = serde_json::json!({
        "__metadata__": metadata,
        "labels": info(&[sequences], tokens, end),
        "tokens": info(&[sequences, length], 0, tokens),
    });
    let mut header = header.to_string();
    // the format wants the data aligned
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    write_atomically(path, |temporary| {
        let failed = |error| RuntimeError::file("write", temporary)(error);
        let mut file = BufWriter::new(File::create(temporary).map_err(failed)?);
        file.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
        file.write_all(header.as_bytes()).map_err(failed)?;
        let mut done = 0;
        while done < sequences {
            let part = next(done);
            done += part.len() / length;
            part.iter().try_for_each(|token| file.write_all(&token.to_le_bytes())).map_err(failed)?;
        }
        labels.iter().try_for_each(|label| file.write_all(&label.to_le_bytes())).map_err(failed)?;
        file.flush().map_err(failed)
    })?;
    TokenFile::open(path)
}

/// Sequences that are sampled from a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampled {
    /// Number of sequences; the classes take turns ("uniformly conditioned on all 101 classes", appendix B.4).
    pub count: usize,
    /// How tokens are drawn.
    pub sampling: SamplingSettings,
    /// The same seed gives the same sequences.
    pub seed: u64,
}

/// What is analysed: sequences with a name.
#[derive(Debug, Clone)]
pub struct SequenceSource {
    /// In legends and tables.
    pub name: String,
    /// The sequences.
    pub file: TokenFile,
}

impl SequenceSource {
    /// A file of tokens.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn of_file(path: &Path) -> Result<Self, RuntimeError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, file: TokenFile::open(path)? })
    }

    /// Samples sequences from the generator of a run into a file.
    ///
    /// # Errors
    /// When a sampling setting is out of range, the generator is not trained or predicts frames, or the file cannot be written.
    pub fn sample(run: &TrainedRun, sampled: &Sampled, path: &Path, progress: OnProgress<'_>) -> Result<Self, RuntimeError> {
        let pipeline = &run.pipeline;
        let wrong = |source| PipelineError::Settings { name: pipeline.name.clone(), source };
        sampled.sampling.check().map_err(wrong)?;
        if let ConditionKind::Frames(_) = run.condition()? {
            let message = format!(
                "the generator of `{}` goes on from frames; sequences of classes cannot be sampled from it",
                pipeline.name
            );
            return Err(RuntimeError::Request(message));
        }
        let generator = run.generator()?;
        let length = pipeline.plan()?.encoder.tokens;
        let classes = run.classes.len();
        let class = |index: usize| (classes > 0).then(|| index % classes);
        let labels: Vec<i32> = (0..sampled.count).map(|index| class(index).map_or(NO_CLASS, |class| class as i32)).collect();
        let stream = Stream::new(sampled.seed).fork("generate");
        let metadata = HashMap::from([
            ("pipeline".to_owned(), pipeline.name.clone()),
            ("seed".to_owned(), sampled.seed.to_string()),
            ("sampling".to_owned(), format!("{:?}", sampled.sampling)),
        ]);
        let file = write_sequences(path, [sampled.count, length], &labels, &metadata, |done| {
            progress(done as u64, sampled.count as u64, "sequences generated");
            let part: Vec<Option<usize>> = (done..sampled.count.min(done + GENERATED_AT_ONCE)).map(class).collect();
            let stream = stream.at((done / GENERATED_AT_ONCE) as u64);
            let tokens = generate_tokens(&generator, &part, &sampled.sampling.into(), stream, run.device());
            ints_to_host(tokens).into_iter().map(|token| token as i32).collect()
        })?;
        Ok(Self { name: run.name(), file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Tokens;

    fn scanned(file: &TokenFile) -> Vec<i32> {
        let mut values = Vec::new();
        file.scan(&mut |at, tokens| {
            assert_eq!(at * file.length(), values.len());
            values.extend_from_slice(tokens);
        })
        .unwrap();
        values
    }

    #[test]
    fn a_file_is_read_in_parts_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        // more than is read at a time
        let (sequences, length) = (3000, 500);
        let values: Vec<i32> = (0..sequences * length).map(|index| (index % 777) as i32).collect();
        let labels: Vec<i32> = (0..sequences).map(|index| (index % 5) as i32).collect();
        let next = |done: usize| values[done * length..((done + 32) * length).min(values.len())].to_vec();
        let file = write_sequences(&path, [sequences, length], &labels, &HashMap::new(), next).unwrap();
        assert!(scanned(&file) == values);
        assert_eq!(file.labels().unwrap(), Some(labels.clone()));
        // any reader of the format finds the same
        let tokens = Tokens::load(&path).unwrap();
        assert!(tokens.values == values && tokens.labels == labels);
    }

    #[test]
    fn what_tokenize_writes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let tokens = Tokens { length: 3, values: vec![1, 2, 3, 4, 5, 6], labels: vec![0, NO_CLASS], conditions: None };
        tokens.save(&path, HashMap::new()).unwrap();
        let file = TokenFile::open(&path).unwrap();
        assert_eq!((file.count(), file.length(), file.labels().unwrap()), (2, 3, None));
        assert_eq!(scanned(&file), tokens.values);
    }

    #[test]
    fn other_files_and_cut_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let refusal = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            TokenFile::open(&path).unwrap_err().to_string()
        };
        assert!(refusal(b"nothing of the kind").contains("no safetensors file of tokens"));
        let tokens = Tokens { length: 3, values: vec![1; 6], labels: vec![0, 1], conditions: None };
        tokens.save(&path, HashMap::new()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert!(refusal(&whole[..whole.len() - 20]).contains("is not whole int32 data"));
    }
}
