//! Clips to train and evaluate on: drawn on the fly or decoded from files.
//!
//! ```text
//! DataSettings --open--> dyn Dataset --Loader--> Batch   (training: shuffled, random windows, endless)
//!                                    --fixed---> Sample  (evaluation: fixed order, fixed windows)
//! a path named by a user ------------windows---> Sample  (tokenize, reconstruct: consecutive windows)
//!                        ------------check-----> CheckReport
//! ```
//!
//! - `procedural` ([`ProceduralSettings`]): labelled motions of shapes drawn from (seed, index); nothing to download.
//! - `video` ([`VideoSettings`]): a folder of class folders, a CSV of `path,label`, or a flat folder. GIFs and folders of
//!   images are read here; every other format goes through the programs `ffprobe` and `ffmpeg`, as processes of their own.
//!
//! Every random choice is drawn from a hash of what it is for (see [`random`]): the same seed gives the same
//! pixels, whatever the number of workers and wherever a run was resumed.

mod check;
mod dataset;
mod error;
mod ffmpeg;
mod frame;
mod images;
mod loader;
mod manifest;
mod media;
mod pool;
mod problems;
mod procedural;
pub mod random;
mod resize;
mod settings;
mod video;
mod windows;

pub use check::{CheckReport, FileCheck, check};
pub use dataset::{Dataset, FixedClips, Sample, Split, Window, fixed};
pub use error::DataError;
pub use frame::Frame;
pub use loader::{Batch, Loader, LoaderSettings};
pub use manifest::{Manifest, ManifestFile, manifest, manifest_csv};
pub use problems::{Problem, Problems};
pub use procedural::{Motion, Procedural, ProceduralSettings};
pub use resize::resize_and_crop;
pub use settings::DataSettings;
pub(crate) use video::hexadecimal;
pub use video::{VideoFolder, VideoSettings};
pub use windows::{WindowPolicy, Windows, windows};
