//! Latents to tokens and back.

pub mod svq;
pub mod vq;

use larp_traits::SettingsError;

fn check_codebook(size: usize, code_dim: usize) -> Result<(), SettingsError> {
    if size < 2 {
        return Err(SettingsError::value("quantizer.codebook_size", size, "at least 2 codes"));
    }
    if code_dim == 0 {
        return Err(SettingsError::value("bottleneck.code_dim", code_dim, "at least 1"));
    }
    Ok(())
}
