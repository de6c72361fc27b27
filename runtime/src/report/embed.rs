//! Pictures inside the page.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ImageFormat;
use minijinja::Value;
use serde::Serialize;

/// A picture as a `data:` URI.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Picture {
    /// Safe for HTML: base64 needs no escaping.
    uri: Value,
    width: u32,
    height: u32,
    /// Text for those who do not see it.
    alt: String,
}

/// Embeds pictures until the page would grow too large.
#[derive(Debug)]
pub(super) struct Embedder {
    budget: usize,
    /// Pictures left out for want of room.
    pub left_out: usize,
    /// Files that are no pictures.
    pub unreadable: Vec<String>,
}

impl Embedder {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, left_out: 0, unreadable: Vec::new() }
    }

    /// Embeds the file, unless it is no picture or there is no room for it.
    pub(super) fn embed(&mut self, path: &Path, alt: String) -> Option<Picture> {
        let bytes = fs::read(path).unwrap_or_default();
        let Some((format, width, height)) = probe(&bytes) else {
            self.unreadable.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            return None;
        };
        if bytes.len() > self.budget {
            self.left_out += 1;
            return None;
        }
        self.budget -= bytes.len();
        let uri = format!("data:{};base64,{}", format.to_mime_type(), STANDARD.encode(&bytes));
        Some(Picture { uri: Value::from_safe_string(uri), width, height, alt })
    }
}

/// Format, width and height of an encoded picture.
fn probe(bytes: &[u8]) -> Option<(ImageFormat, u32, u32)> {
    let reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let format = reader.format()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some((format, width, height))
}
