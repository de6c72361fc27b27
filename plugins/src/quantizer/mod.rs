//! Latents to tokens and back.

pub mod svq;
pub mod vq;

use larp_traits::{Device, Init, QuantizerShape, SettingsError, Tensor, burn::module::Param, init};

fn check_codebook(size: usize, code_dim: usize) -> Result<(), SettingsError> {
    if size < 2 {
        return Err(SettingsError::value("quantizer.codebook_size", size, "at least 2 codes"));
    }
    if code_dim == 0 {
        return Err(SettingsError::value("bottleneck.code_dim", code_dim, "at least 1"));
    }
    Ok(())
}

/// The codes of a codebook quantizer, `[vocab, code_dim]`, started as by PyTorch's `kaiming_uniform_`, as in the released code.
fn codebook(shape: QuantizerShape, device: &Device) -> Param<Tensor<2>> {
    let init = Init::Uniform { bound: (6.0 / shape.code_dim as f64).sqrt() };
    init::param([shape.vocab_size, shape.code_dim], init, device)
}
