//! Devices by name: `cpu`, `libtorch`, `libtorch:cuda:N`, `cuda:N`.

use larp_traits::Device;
use larp_traits::tensor::cpu;

#[cfg(feature = "cuda")]
use crate::cuda::{self, Lack};

/// A device that this build or machine lacks, or a name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("device `{name}`: {reason}; this build has: {}", available.join(", "))]
pub struct DeviceError {
    /// What was asked for.
    pub name: String,
    /// Why it is not there.
    pub reason: String,
    /// The devices that are there.
    pub available: Vec<String>,
}

/// The device of a name.
///
/// # Errors
/// When the name is none, the build lacks the backend, or the machine lacks the device.
pub fn parse(name: &str) -> Result<Device, DeviceError> {
    let error = |reason: String| DeviceError { name: name.into(), reason, available: available() };
    match name.split(':').collect::<Vec<_>>()[..] {
        ["cpu"] => Ok(cpu()),
        ["libtorch"] => libtorch(None).map_err(error),
        ["libtorch", "cuda", index] => number(index).and_then(|index| libtorch(Some(index))).map_err(error),
        ["cuda", index] => number(index).and_then(cuda).map_err(error),
        ["cuda"] => cuda(0).map_err(error),
        _ => Err(error("it is not `cpu`, `libtorch`, `libtorch:cuda:N` or `cuda:N`".into())),
    }
}

/// The devices of this build and machine.
pub fn available() -> Vec<String> {
    let mut names = vec!["cpu".to_owned()];
    if cfg!(feature = "libtorch") {
        names.push("libtorch".into());
        names.extend((0..libtorch_gpus()).map(|index| format!("libtorch:cuda:{index}")));
    }
    names.extend((0..cuda_gpus()).map(|index| format!("cuda:{index}")));
    names
}

fn number(index: &str) -> Result<usize, String> {
    index.parse().map_err(|_| format!("`{index}` is not the number of a GPU"))
}

#[cfg(feature = "libtorch")]
fn libtorch(gpu: Option<usize>) -> Result<Device, String> {
    use burn_tch::LibTorchDevice;
    let device = match gpu {
        None => LibTorchDevice::Cpu,
        Some(index) if index < libtorch_gpus() => LibTorchDevice::Cuda(index),
        Some(_) => return Err(format!("libtorch sees {} CUDA devices", libtorch_gpus())),
    };
    Ok(Device::LibTorch(device))
}

#[cfg(not(feature = "libtorch"))]
fn libtorch(_: Option<usize>) -> Result<Device, String> {
    Err("this build is without libtorch; build it with `--features libtorch`".into())
}

#[cfg(feature = "libtorch")]
fn libtorch_gpus() -> usize {
    usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
}

#[cfg(not(feature = "libtorch"))]
fn libtorch_gpus() -> usize {
    0
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Device, String> {
    let gpus = cuda::gpus().map_err(|Lack { what, how }| format!("{what}; {how}"))?;
    if index >= gpus {
        return Err(format!("this machine has {gpus} CUDA devices"));
    }
    Ok(Device::Cuda(burn_cuda::CudaDevice { index }))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<Device, String> {
    Err("this build is without CUDA; build it with `--features cuda`".into())
}

/// GPUs on which kernels can run.
#[cfg(feature = "cuda")]
fn cuda_gpus() -> usize {
    cuda::gpus().unwrap_or(0)
}

#[cfg(not(feature = "cuda"))]
fn cuda_gpus() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_lists_those_that_are_there() {
        let error = parse("tpu").expect_err("no such device").to_string();
        assert!(error.contains("`tpu`") && error.contains("this build has: cpu"), "{error}");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_of_another_build_says_how_to_build() {
        let error = parse("cuda:0").expect_err("not built in").to_string();
        assert!(error.contains("--features cuda"), "{error}");
    }
}
