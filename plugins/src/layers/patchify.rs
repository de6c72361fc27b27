//! Clips to rows of patch values and back.

use larp_traits::error::divides;
use larp_traits::{SettingsError, Tensor, VideoShape};
use serde::{Deserialize, Serialize};

/// Size of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Frames.
    pub frames: usize,
    /// Height and width in pixels.
    pub size: usize,
}

impl Default for Patch {
    /// As in the paper (section 4.1): 4 x 8 x 8.
    fn default() -> Self {
        Self { frames: 4, size: 8 }
    }
}

/// A clip cut into patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchGrid {
    /// The clip.
    pub video: VideoShape,
    /// The patch.
    pub patch: Patch,
}

impl PatchGrid {
    /// Cuts clips of this shape; `part` names the settings in errors.
    ///
    /// # Errors
    /// When the patch does not divide the clip.
    pub fn new(part: &str, video: &VideoShape, patch: Patch) -> Result<Self, SettingsError> {
        divides(&format!("{part}.patch.frames"), patch.frames, video.frames, "clip.frames")?;
        divides(&format!("{part}.patch.size"), patch.size, video.height, "clip.height")?;
        divides(&format!("{part}.patch.size"), patch.size, video.width, "clip.width")?;
        Ok(Self { video: *video, patch })
    }

    /// Patches along time, height and width.
    pub fn cells(&self) -> [usize; 3] {
        [self.video.frames / self.patch.frames, self.video.height / self.patch.size, self.video.width / self.patch.size]
    }

    /// Number of patches.
    pub fn count(&self) -> usize {
        self.cells().iter().product()
    }

    /// Values of a patch.
    pub fn values(&self) -> usize {
        self.video.channels * self.patch.frames * self.patch.size * self.patch.size
    }

    /// Patch rows for a linear embedding; within a row: channel, frame, row, column (the order of a 3D convolution's weight).
    ///
    /// # Shapes
    /// - video: `[batch, channels, frames, height, width]`
    /// - output: `[batch, patches, values]`
    pub fn patchify(&self, video: Tensor<5>) -> Tensor<3> {
        let batch = video.dims()[0];
        let ([t, h, w], Patch { frames, size }) = (self.cells(), self.patch);
        let cut = video.reshape([batch, self.video.channels, t, frames, h, size, w, size]);
        cut.permute([0, 2, 4, 6, 1, 3, 5, 7]).reshape([batch, self.count(), self.values()])
    }

    /// Clips from patch rows; within a row: frame, row, column, channel (as in the released code's `unpatchify`).
    ///
    /// # Shapes
    /// - rows: `[batch, patches, values]`
    /// - output: `[batch, channels, frames, height, width]`
    pub fn unpatchify(&self, rows: Tensor<3>) -> Tensor<5> {
        let batch = rows.dims()[0];
        let ([t, h, w], Patch { frames, size }) = (self.cells(), self.patch);
        let VideoShape { channels, frames: all, height, width } = self.video;
        let cut = rows.reshape([batch, t, h, w, frames, size, size, channels]);
        cut.permute([0, 7, 1, 4, 2, 5, 3, 6]).reshape([batch, channels, all, height, width])
    }
}
