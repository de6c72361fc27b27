//! Frames that need no FFmpeg: GIFs, and folders of images.

mod folder;
mod gif;

pub(crate) use folder::{EXTENSIONS, folder_frames, inspect_folder, numbered};
pub(crate) use gif::{gif_frames, inspect_gif};
