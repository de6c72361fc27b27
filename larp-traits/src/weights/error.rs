//! What can be wrong with a weight file.

use std::path::PathBuf;

use safetensors::Dtype;

/// A weight file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Its first bytes are of no known format.
    #[error("`{}` is neither a safetensors file nor one that PyTorch's `torch.save` wrote", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// It contradicts its format.
    #[error("`{}` is damaged or not supported: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and how.
        reason: String,
    },
    /// It names an object that is neither a tensor nor a plain value. Such an object could be code, and nothing is run.
    #[error(
        "`{}` holds `{object}`, which is neither a tensor nor a plain value, and code of a file is never run; where you trust the file, \
         save its state dict alone with PyTorch",
        path.display()
    )]
    Forbidden {
        /// The file.
        path: PathBuf,
        /// Module and name of the object.
        object: String,
    },
    /// The values of a tensor cannot become 32-bit floats.
    #[error("`{}` holds a tensor of type {dtype}, which has no conversion to 32-bit floats", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// Its type.
        dtype: Dtype,
    },
}
