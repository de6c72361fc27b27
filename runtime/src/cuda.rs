//! What the CUDA backend needs of a machine: NVIDIA's driver with a GPU, and the toolkit's compiler and headers, since kernels are
//! compiled when they are first run.

use cubecl_cuda::install::cuda_path;
use cudarc::driver::CudaContext;
use cudarc::{driver, nvrtc};

/// What each kernel includes.
const HEADER: &str = "include/cuda_runtime.h";

/// Something without which no kernel runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) what: &'static str,
    pub(crate) how: &'static str,
}

/// How many GPUs kernels can run on: those that the driver shows to this process.
///
/// # Errors
/// The first thing that this machine lacks.
pub(crate) fn gpus() -> Result<usize, Lack> {
    // the driver's calls panic where its library is missing
    let gpus = if driver_is_there() { CudaContext::device_count().unwrap_or(0) } else { 0 };
    let gpus = usize::try_from(gpus).unwrap_or(0);
    if gpus == 0 {
        return Err(Lack {
            what: "NVIDIA's driver shows no GPU",
            how: "install the driver; `nvidia-smi` must list the GPU, and `CUDA_VISIBLE_DEVICES` must not hide it",
        });
    }
    if !compiler_is_there() {
        return Err(Lack {
            what: "the CUDA toolkit's compiler (libnvrtc) is not found",
            how: "install the CUDA toolkit, and add the folder of its libraries to `LD_LIBRARY_PATH`",
        });
    }
    if !cuda_path().is_some_and(|toolkit| toolkit.join(HEADER).is_file()) {
        return Err(Lack {
            what: "the CUDA toolkit's headers (include/cuda_runtime.h) are not found",
            how: "install the CUDA toolkit, and set `CUDA_PATH` to its folder where it is not /usr/local/cuda",
        });
    }
    Ok(gpus)
}

#[expect(unsafe_code, reason = "it loads a library, whose initialisers run; the backend would load the same one")]
fn driver_is_there() -> bool {
    unsafe { driver::sys::is_culib_present() }
}

#[expect(unsafe_code, reason = "it loads a library, whose initialisers run; the backend would load the same one")]
fn compiler_is_there() -> bool {
    unsafe { nvrtc::sys::is_culib_present() }
}
