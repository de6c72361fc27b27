//! Folders of videos, GIFs and folders of images.

use std::path::{Path, PathBuf};

use super::item::Named;
use crate::data::media::is_video_or_gif;
use crate::data::{DataError, Split, images};

/// Lists a folder with its splits and classes; see [`super`] for the rules.
pub(super) fn list(root: &Path) -> Result<Vec<Named>, DataError> {
    let (folders, _) = entries(root)?;
    let splits: Vec<Option<Split>> = folders.iter().map(|folder| Split::from_name(&name(folder))).collect();
    let mut items = Vec::new();
    if splits.contains(&Some(Split::Train)) && splits.iter().all(Option::is_some) {
        for (folder, split) in folders.iter().zip(splits) {
            list_classes(folder, split, &mut items)?;
        }
    } else {
        list_classes(root, None, &mut items)?;
    }
    for item in &mut items {
        item.relative = relative(&item.path, root);
    }
    Ok(items)
}

fn list_classes(base: &Path, split: Option<Split>, items: &mut Vec<Named>) -> Result<(), DataError> {
    let mut add = |path: PathBuf, class: Option<String>| {
        items.push(Named { path, relative: String::new(), class, split });
    };
    let (folders, files) = entries(base)?;
    let loose: Vec<PathBuf> = files.into_iter().filter(|file| is_video_or_gif(file)).collect();
    // a folder that holds nothing but images is itself a clip
    if loose.is_empty() && folders.is_empty() && !images::numbered(base)?.is_empty() {
        add(base.to_owned(), None);
    }
    loose.into_iter().for_each(|file| add(file, None));
    for folder in folders {
        let media = media_below(&folder)?;
        let clip = media.len() == 1 && media[0] == folder;
        let class = (!clip).then(|| name(&folder));
        media.into_iter().for_each(|path| add(path, class.clone()));
    }
    Ok(())
}

/// Videos, GIFs and folders of images anywhere below a folder, sorted; the folder itself where it holds images and no video.
pub(crate) fn media_below(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let (folders, files) = entries(folder)?;
    let mut media: Vec<PathBuf> = files.into_iter().filter(|file| is_video_or_gif(file)).collect();
    if media.is_empty() && !images::numbered(folder)?.is_empty() {
        media.push(folder.to_owned());
    }
    for folder in folders {
        media.extend(media_below(&folder)?);
    }
    Ok(media)
}

/// Folders and files directly in a folder, sorted; hidden ones do not count.
fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DataError> {
    let io = |source| DataError::io(folder, source);
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(io)? {
        let path = entry.map_err(io)?.path();
        // a link to a folder could lead in a circle; links to files are fine
        let circle = path.is_symlink() && path.is_dir();
        if !name(&path).starts_with('.') && !circle {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().partition(|path| path.is_dir()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The path below `root` with `/` on every system, so that a split does not depend on where it was drawn.
fn relative(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if parts.is_empty() { name(root) } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::video::item;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        root
    }

    fn listing(files: &[&str]) -> (Vec<String>, Vec<String>) {
        let root = tree(files);
        let (items, classes) = item::list(root.path()).unwrap();
        let line = |item: &item::Item| {
            let class = item.label.map_or("-", |label| classes[label].as_str());
            format!("{} {class} {}", item.relative, item.split.map_or("-".into(), |split| split.to_string()))
        };
        (items.iter().map(line).collect(), classes.clone())
    }

    #[test]
    fn folders_are_classes_and_other_files_are_left_alone() {
        let (lines, classes) =
            listing(&["run/b.MP4", "run/deep/a.avi", "jump/c.gif", "jump/d/1.png", "README.md", ".x/e.mp4", "loose.mkv"]);
        assert_eq!(lines, ["jump/c.gif jump -", "jump/d jump -", "loose.mkv - -", "run/b.MP4 run -", "run/deep/a.avi run -"]);
        assert_eq!(classes, ["jump", "run"]);
    }

    #[test]
    fn folders_called_after_splits_are_splits() {
        let (lines, _) = listing(&["train/run/a.mp4", "val/run/b.mp4", "test/c.mp4"]);
        assert_eq!(lines, ["test/c.mp4 - test", "train/run/a.mp4 run train", "val/run/b.mp4 run validation"]);
    }

    #[test]
    fn a_class_called_test_is_a_class_beside_others() {
        assert_eq!(listing(&["test/a.mp4", "match/b.mp4"]).1, ["match", "test"]);
    }

    #[test]
    fn folders_of_images_at_the_top_are_clips_without_a_class() {
        let (lines, classes) = listing(&["one/1.png", "one/2.png", "two/1.jpg"]);
        assert_eq!(lines, ["one - -", "two - -"]);
        assert!(classes.is_empty());
        assert_eq!(listing(&["1.png", "2.png"]).0.len(), 1);
    }

    #[test]
    fn an_empty_folder_is_an_error() {
        let root = tree(&["README.md"]);
        assert!(matches!(item::list(root.path()), Err(DataError::NoClips { .. })));
    }
}
