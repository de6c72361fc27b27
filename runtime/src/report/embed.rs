//! Pictures inside the page.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
        let Some((mime, width, height)) = svg(path, &bytes).or_else(|| probe(&bytes)) else {
            self.unreadable.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            return None;
        };
        if bytes.len() > self.budget {
            self.left_out += 1;
            return None;
        }
        self.budget -= bytes.len();
        let uri = format!("data:{mime};base64,{}", STANDARD.encode(&bytes));
        Some(Picture { uri: Value::from_safe_string(uri), width, height, alt })
    }
}

/// Type, width and height of an encoded picture.
fn probe(bytes: &[u8]) -> Option<(&'static str, u32, u32)> {
    let reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let format = reader.format()?.to_mime_type();
    let (width, height) = reader.into_dimensions().ok()?;
    Some((format, width, height))
}

/// Type, width and height of an SVG file that says them on its root. As an image it cannot run scripts or load anything.
fn svg(path: &Path, bytes: &[u8]) -> Option<(&'static str, u32, u32)> {
    path.extension().filter(|extension| extension.eq_ignore_ascii_case("svg"))?;
    let root = str::from_utf8(bytes).ok()?.trim_start().strip_prefix("<svg ")?.split('>').next()?;
    let attribute = |name: &str| root.split(&format!("{name}=\"")).nth(1)?.split('"').next()?.parse().ok();
    Some(("image/svg+xml", attribute("width")?, attribute("height")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_svg_says_its_size_and_other_text_is_none() {
        let probed = |name: &str, text: &str| svg(Path::new(name), text.as_bytes());
        assert_eq!(
            probed("a.svg", "<svg width=\"12\" height=\"7\" viewBox=\"0 0 12 7\"><g/></svg>"),
            Some(("image/svg+xml", 12, 7))
        );
        assert_eq!(probed("a.svg", "<html></html>"), None);
        assert_eq!(probed("a.gif", "<svg width=\"12\" height=\"7\">"), None);
    }
}
