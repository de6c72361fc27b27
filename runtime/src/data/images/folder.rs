//! A folder of numbered images is one clip.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use image::ImageReader;

use crate::data::frame::{FrameRange, MAX_PIXELS};
use crate::data::media::{MediaInfo, extension};
use crate::data::{DataError, Frame};

/// Extensions of images.
pub(crate) const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "bmp", "webp"];

/// The images directly in a folder, in natural order (`2.png` before `10.png`); hidden files do not count.
pub(crate) fn numbered(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(|source| DataError::io(folder, source))? {
        let entry = entry.map_err(|source| DataError::io(folder, source))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let path = entry.path();
        if !hidden && EXTENSIONS.contains(&extension(&path).as_str()) && path.is_file() {
            files.push(path);
        }
    }
    files.sort_by(|a, b| natural(&name(a), &name(b)));
    Ok(files)
}

/// Decodes every image; the size is the first one's (each is resized by itself, so they may differ).
pub(crate) fn inspect_folder(path: &Path, files: &[PathBuf]) -> Result<MediaInfo, DataError> {
    let mut size = (0, 0);
    for (index, file) in files.iter().enumerate() {
        // the folder is the clip, so the error names the folder and, in its reason, the image
        let frame = read(file).map_err(|error| match error {
            DataError::Decode { reason, .. } if file != path => DataError::decode(path, format!("{}: {reason}", name(file))),
            other => other,
        })?;
        if index == 0 {
            size = (frame.width, frame.height);
        }
    }
    let (width, height) = size;
    Ok(MediaInfo { frames: files.len(), width, height, fps: None, constant_rate: true, duration: None, codec: "images".into() })
}

/// Some of the images, in order.
pub(crate) fn folder_frames(files: Vec<PathBuf>, range: FrameRange) -> impl Iterator<Item = Result<Frame, DataError>> + Send {
    let limit = range.limit.unwrap_or(usize::MAX);
    files.into_iter().skip(range.start).step_by(range.stride).take(limit).map(|file| read(&file))
}

fn read(path: &Path) -> Result<Frame, DataError> {
    // by content: files named .jpg that hold a PNG are common
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let reader = reader.map_err(|source| DataError::io(path, source))?;
    let image = reader.decode().map_err(|error| DataError::decode(path, error.to_string()))?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    if !(1..=MAX_PIXELS).contains(&(width * height)) {
        return Err(DataError::decode(path, format!("an image of {width}x{height} is not supported")));
    }
    Ok(match image.color().has_alpha() {
        true => Frame::from_rgba_over_white(width, height, image.to_rgba8().as_raw()),
        false => Frame { width, height, pixels: image.into_rgb8().into_raw() },
    })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Compares texts with runs of digits as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let key = |text: &str| {
        let mut parts: Vec<(bool, String)> = Vec::new();
        for c in text.chars() {
            let digit = c.is_ascii_digit();
            match parts.last_mut() {
                Some((was_digit, part)) if *was_digit == digit => part.push(c),
                _ => parts.push((digit, c.into())),
            }
        }
        parts
    };
    let compare = |(left, right): (&(bool, String), &(bool, String))| match (left.0, right.0) {
        (true, true) => {
            let (left, right) = (left.1.trim_start_matches('0'), right.1.trim_start_matches('0'));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        }
        _ => left.1.cmp(&right.1),
    };
    let (left, right) = (key(a), key(b));
    let first_difference = left.iter().zip(&right).map(compare).find(|order| order.is_ne());
    first_difference.unwrap_or_else(|| left.len().cmp(&right.len())).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_numbers() {
        let mut names = ["f10.png", "f9.png", "f009b.png", "f1.png", "a.png"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a.png", "f1.png", "f9.png", "f009b.png", "f10.png"]);
    }

    #[test]
    fn a_folder_of_images_is_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in [("10.png", 30), ("2.png", 20), ("1.png", 10)] {
            image::RgbImage::from_pixel(6, 4, image::Rgb([value; 3])).save(folder.path().join(name)).unwrap();
        }
        let files = numbered(folder.path()).unwrap();
        assert_eq!(inspect_folder(folder.path(), &files).unwrap().frames, 3);
        let range = FrameRange { start: 0, stride: 2, limit: None };
        let values: Vec<u8> = folder_frames(files, range).map(|frame| frame.unwrap().pixels[0]).collect();
        assert_eq!(values, [10, 30]);
    }

    #[test]
    fn a_damaged_image_names_folder_and_image() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1.png"), b"no image").unwrap();
        let files = numbered(folder.path()).unwrap();
        let error = inspect_folder(folder.path(), &files).unwrap_err().to_string();
        assert!(error.contains(&folder.path().display().to_string()) && error.contains("1.png"), "{error}");
    }
}
