//! What a data set holds, file by file and by content, for `larp-cli data manifest`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::frame::FrameRange;
use super::media::Media;
use super::pool::Pool;
use super::video::{VideoFolder, VideoSettings, hexadecimal};
use super::{DataError, Split};
use crate::clip::ClipShape;

/// All files of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// What was looked at.
    pub path: PathBuf,
    /// SHA-256 over the lines `sha256  split  path` of all files, sorted by path.
    pub sha256: String,
    /// One entry a file, sorted by path.
    pub files: Vec<ManifestFile>,
    /// Files of equal content within a split.
    pub duplicates: Vec<Vec<String>>,
    /// Files of equal content in different splits: what is measured on them was trained on.
    pub shared: Vec<Vec<String>>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManifestFile {
    /// Path below the folder, or as the CSV has it.
    pub path: String,
    /// Name of its class.
    pub class: Option<String>,
    /// The splits it is in; none for one that cannot be used.
    pub splits: Vec<Split>,
    /// SHA-256 of its bytes; of a folder of images, of those of its images in order.
    pub sha256: String,
    /// SHA-256 of its decoded frames with their sizes: the same for a copy in another container.
    pub frames_sha256: Option<String>,
    /// Number of decoded frames.
    pub frames: usize,
    /// Why it could not be decoded.
    pub problem: Option<String>,
}

/// Reads and decodes every file to its end on `workers` threads.
///
/// # Errors
/// When the path does not exist or holds nothing to read, FFmpeg is needed and missing, or a file cannot be read.
pub fn manifest(path: &Path, workers: usize) -> Result<Manifest, DataError> {
    // the shape does not matter for which file is in which split
    let shape = ClipShape { frames: 1, height: 8, width: 8 };
    let folder = VideoFolder::open(VideoSettings { cache_mb: 0, ..VideoSettings::new(path) }, shape)?;
    let listed = super::video::listing(path)?;
    let tools = super::ffmpeg::Tools::default();
    let mut pool = Pool::new(workers, move |path: PathBuf| hashes(&tools, &path))?;
    listed.files.iter().for_each(|file| pool.push(file.path.clone()));
    let mut files = Vec::with_capacity(listed.files.len());
    for file in listed.files {
        let Some(result) = pool.pop() else { break };
        let Hashes { sha256, frames_sha256, frames, problem } = result??;
        let splits = Split::ALL.into_iter().filter(|split| folder.holds(*split, &file.relative)).collect();
        files.push(ManifestFile { path: file.relative, class: file.class, splits, sha256, frames_sha256, frames, problem });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let (duplicates, shared) = equal(&files);
    Ok(Manifest { path: path.to_owned(), sha256: list_hash(&files), files, duplicates, shared })
}

struct Hashes {
    sha256: String,
    frames_sha256: Option<String>,
    frames: usize,
    problem: Option<String>,
}

fn hashes(tools: &super::ffmpeg::Tools, path: &Path) -> Result<Hashes, DataError> {
    let media = Media::locate(path)?;
    let mut bytes = Sha256::new();
    let files = match &media {
        Media::Images { files, .. } => files.clone(),
        _ => vec![path.to_owned()],
    };
    for file in &files {
        let read = File::open(file).and_then(|mut file| io::copy(&mut file, &mut Hashing(&mut bytes)));
        read.map_err(|error| DataError::io(file, error))?;
    }
    let (mut pixels, mut frames) = (Sha256::new(), 0);
    let decoded = (|| {
        let info = media.inspect(tools, true)?;
        for frame in media.frames(tools, &info, FrameRange { start: 0, stride: 1, limit: None })? {
            let frame = frame?;
            pixels.update((frame.width as u64).to_le_bytes());
            pixels.update((frame.height as u64).to_le_bytes());
            pixels.update(&frame.pixels);
            frames += 1;
        }
        Ok::<_, DataError>(())
    })();
    let problem = match decoded {
        Ok(()) => None,
        Err(error) => match error.skippable() {
            Some((_, reason)) => Some(reason),
            None => return Err(error),
        },
    };
    let frames_sha256 = problem.is_none().then(|| hexadecimal(&pixels.finalize()));
    Ok(Hashes { sha256: hexadecimal(&bytes.finalize()), frames_sha256, frames, problem })
}

struct Hashing<'a>(&'a mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn list_hash(files: &[ManifestFile]) -> String {
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(format!("{}  {}  {}\n", file.sha256, joined(file), file.path));
    }
    hexadecimal(&hasher.finalize())
}

/// Paths of equal content: within one split, and over several.
fn equal(files: &[ManifestFile]) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut groups: BTreeMap<&str, Vec<&ManifestFile>> = BTreeMap::new();
    for file in files {
        groups.entry(file.frames_sha256.as_ref().unwrap_or(&file.sha256)).or_default().push(file);
    }
    let (mut duplicates, mut shared) = (Vec::new(), Vec::new());
    for group in groups.into_values() {
        let paths = || group.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        let splits: Vec<Split> = group.iter().flat_map(|file| file.splits.iter().copied()).collect();
        let trained = splits.contains(&Split::Train);
        let apart = splits.iter().any(|split| *split != splits[0]);
        // one held-out file that serves as validation and test is no leak
        if apart && (trained || group.len() > 1) {
            shared.push(paths());
        } else if group.len() > 1 {
            duplicates.push(paths());
        }
    }
    duplicates.sort();
    shared.sort();
    (duplicates, shared)
}

/// A manifest as CSV, a line a file.
pub fn manifest_csv(manifest: &Manifest) -> String {
    #[derive(Serialize)]
    struct Row<'a> {
        path: &'a str,
        class: Option<&'a str>,
        splits: String,
        sha256: &'a str,
        frames_sha256: Option<&'a str>,
        frames: usize,
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for file in &manifest.files {
        let row = Row {
            path: &file.path,
            class: file.class.as_deref(),
            splits: joined(file),
            sha256: &file.sha256,
            frames_sha256: file.frames_sha256.as_deref(),
            frames: file.frames,
        };
        writer.serialize(row).expect("rows of texts and numbers, into memory");
    }
    let bytes = writer.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("made of texts")
}

fn joined(file: &ManifestFile) -> String {
    file.splits.iter().map(Split::to_string).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn gif(path: &Path, value: u8) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(path).unwrap();
        let mut encoder = gif::Encoder::new(&mut file, 8, 8, &[]).unwrap();
        for shift in 0..3 {
            let pixels = [value.wrapping_add(shift), 0, value].repeat(64);
            encoder.write_frame(&gif::Frame::from_rgb(8, 8, &pixels)).unwrap();
        }
    }

    #[test]
    fn clips_that_two_splits_share_are_found_by_content() {
        let root = tempfile::tempdir().unwrap();
        for (path, value) in
            [("train/a/1.gif", 1), ("train/a/2.gif", 2), ("train/b/3.gif", 2), ("test/a/other.gif", 1), ("test/b/4.gif", 4)]
        {
            gif(&root.path().join(path), value);
        }
        let found = manifest(root.path(), 2).unwrap();
        assert_eq!(found.files.len(), 5);
        assert_eq!(found.shared, [["test/a/other.gif", "train/a/1.gif"]]);
        assert_eq!(found.duplicates, [["train/a/2.gif", "train/b/3.gif"]]);
        let again = manifest(root.path(), 1).unwrap();
        assert_eq!(again, found);
        assert_eq!(manifest_csv(&found).lines().count(), 6);
        gif(&root.path().join("test/b/4.gif"), 9);
        assert_ne!(manifest(root.path(), 2).unwrap().sha256, found.sha256);
    }
}
