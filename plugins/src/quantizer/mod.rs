//! Latents to tokens and back.

pub mod svq;
pub mod vq;

use larp_traits::burn::tensor::TensorData;
use larp_traits::tensor::to_host;
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

/// Sets rows of a table, which stays the parameter that it is.
///
/// # Shapes
/// - table: `[vocab, code_dim]`
/// - values: `[rows, code_dim]`
fn set_rows(table: &mut Param<Tensor<2>>, rows: &[usize], values: Tensor<2>) {
    let (old, values) = (table.val(), to_host(values));
    let ([vocab, dim], device) = (old.dims(), old.device());
    let mut all = to_host(old.clone());
    for (&row, value) in rows.iter().zip(values.chunks(dim)) {
        all[row * dim..][..dim].copy_from_slice(value);
    }
    let new = Tensor::from_data(TensorData::new(all, [vocab, dim]), &device).set_require_grad(old.is_require_grad());
    *table = table.clone().map(|_| new);
}
