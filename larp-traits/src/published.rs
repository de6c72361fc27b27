//! Files that others published and a component needs: where they lie, where they come from, whether they are the right ones.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use sha2::{Digest, Sha256};

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// What it is.
    pub what: &'static str,
    /// The setting that names another path: `perceptual.backbone`.
    pub key: &'static str,
    /// Where it is looked for.
    pub path: PathBuf,
    /// Whether the path was set: then the content is the user's affair, and may be a conversion to another format.
    pub chosen: bool,
    /// Its address.
    pub source: &'static str,
    /// Its size and hash, where they are known.
    pub digest: Option<FileDigest>,
}

/// What tells a file from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigest {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'static str,
}

impl PublishedFile {
    /// Whether there is a file; its content is not read.
    pub fn is_there(&self) -> bool {
        self.path.is_file()
    }

    /// What to download, and which setting takes another path.
    pub fn how_to_get(&self) -> String {
        let Self { key, source, digest, .. } = self;
        let known = digest.map(|FileDigest { bytes, sha256 }| format!(" ({bytes} bytes, SHA-256 {sha256})")).unwrap_or_default();
        format!("download {source}{known} to that path, or set `{key}` to another")
    }

    /// Checks that it is there and, unless its path was chosen, that it is the published one.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self) -> Result<(), FileProblem> {
        let problem = |fault| FileProblem { file: Box::new(self.clone()), fault };
        let unreadable = |error: io::Error| problem(Fault::Unreadable { message: error.to_string() });
        if !self.is_there() {
            return Err(problem(Fault::Missing));
        }
        let found = self.path.metadata().map_err(unreadable)?.len();
        let Some(digest) = self.digest.filter(|_| !self.chosen) else { return Ok(()) };
        if found != digest.bytes {
            return Err(problem(Fault::Size { found }));
        }
        let found = sha256(&self.path).map_err(unreadable)?;
        if found != digest.sha256 {
            return Err(problem(Fault::Content { found }));
        }
        Ok(())
    }
}

/// What is wrong with a published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable {
        /// What the system said.
        message: String,
    },
    /// It has another size: a download that broke off.
    Size {
        /// Its bytes.
        found: u64,
    },
    /// It has another SHA-256.
    Content {
        /// Its SHA-256.
        found: String,
    },
}

/// A published file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileProblem {
    /// The file.
    pub file: Box<PublishedFile>,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Missing => write!(f, "is not there"),
            Fault::Unreadable { message } => write!(f, "cannot be read ({message})"),
            Fault::Size { found } => write!(f, "is another file, of {found} bytes"),
            Fault::Content { found } => write!(f, "is another file, with SHA-256 {found}"),
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` {}; {}", self.file.what, self.file.path.display(), self.fault, self.file.how_to_get())
    }
}

/// All problems of some files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(|problem| format!("  {problem}")).collect::<Vec<_>>().join("\n"))]
pub struct FileProblems(pub Vec<FileProblem>);

/// Checks files, all of them before it says what is wrong.
///
/// # Errors
/// Of each file that cannot be used.
pub fn check_all(files: &[PublishedFile]) -> Result<(), FileProblems> {
    let problems: Vec<_> = files.iter().filter_map(|file| file.check().err()).collect();
    if problems.is_empty() { Ok(()) } else { Err(FileProblems(problems)) }
}

/// The path of a file in the user's cache: `~/.cache/larp/NAME`, or where `XDG_CACHE_HOME` or the system has it. Without a home folder
/// it is `.cache/larp` in the current one.
pub fn cache_file(name: &str) -> PathBuf {
    let cache = etcetera::choose_base_strategy().map_or_else(|_| PathBuf::from(".cache"), |strategy| strategy.cache_dir());
    cache.join("larp").join(name)
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut hasher))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published file holds `abc`.
    fn file(path: &Path) -> PublishedFile {
        PublishedFile {
            what: "three letters",
            key: "part.letters",
            path: path.to_owned(),
            chosen: false,
            source: "https://example.org/abc",
            digest: Some(FileDigest { bytes: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }),
        }
    }

    fn fault(content: &str) -> Option<Fault> {
        let path = std::env::temp_dir().join(format!("larp-published-{}-{content}", std::process::id()));
        std::fs::write(&path, content).expect("written");
        let result = file(&path).check();
        let chosen = PublishedFile { chosen: true, ..file(&path) }.check();
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(chosen, Ok(()), "a chosen path may hold anything");
        result.err().map(|problem| problem.fault)
    }

    #[test]
    fn the_published_content_is_taken_and_no_other() {
        assert_eq!(fault("abc"), None);
        assert_eq!(fault("ab"), Some(Fault::Size { found: 2 }));
        assert!(matches!(fault("abd"), Some(Fault::Content { found }) if found.starts_with("a52d159f")));
    }

    #[test]
    fn missing_files_are_all_named_with_what_to_do() {
        let files = [file(Path::new("/no/such/a")), PublishedFile { chosen: true, ..file(Path::new("/no/such/b")) }];
        let message = check_all(&files).expect_err("both are missing").to_string();
        for part in
            ["`/no/such/a` is not there", "`/no/such/b`", "3 bytes", "ba7816bf", "https://example.org/abc", "`part.letters`"]
        {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
