//! Stateless randomness.
//!
//! A [`Stream`] is a 64-bit seed derived from (seed, step, purpose). It holds no state: the same stream gives the same numbers
//! each time, so a resumed run needs nothing but its step. Tensors are drawn on the device, under one lock, because a backend's
//! generator is one global of the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::Distribution;
use burn::tensor::backend::Backend as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::tensor::{Backend, Device, Tensor};

/// How a component makes its random choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The most likely choice (argmax) and no dropout: evaluation.
    Deterministic,
    /// Drawn from a stream, dropout on: training and sampling.
    Stream(Stream),
}

impl Draw {
    /// The same kind of draw for a part of the work, with a stream of its own.
    pub fn fork(self, purpose: &str) -> Self {
        match self {
            Draw::Deterministic => Draw::Deterministic,
            Draw::Stream(stream) => Draw::Stream(stream.fork(purpose)),
        }
    }

    /// The same for the part with number `index`: a layer, a step.
    pub fn at(self, index: usize) -> Self {
        match self {
            Draw::Deterministic => Draw::Deterministic,
            Draw::Stream(stream) => Draw::Stream(stream.at(index as u64)),
        }
    }
}

/// A seed for one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream(u64);

impl Stream {
    /// The root stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x6c61_7270_2d72_7321))
    }

    /// The stream of a named purpose.
    pub fn fork(self, purpose: &str) -> Self {
        Self(mix(self.0 ^ hash(purpose)))
    }

    /// The stream of a step, layer or item.
    pub fn at(self, index: u64) -> Self {
        Self(mix(self.0 ^ mix(index.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// The 64 bits themselves.
    pub fn seed(self) -> u64 {
        self.0
    }

    /// A generator on the host.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }

    /// Uniform in [0, 1).
    pub fn uniform<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        self.tensor(shape, Distribution::Uniform(0.0, 1.0), device)
    }

    /// Standard normal.
    pub fn normal<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        self.tensor(shape, Distribution::Normal(0.0, 1.0), device)
    }

    fn tensor<const D: usize>(self, shape: [usize; D], distribution: Distribution, device: &Device) -> Tensor<D> {
        let _guard = seed_backend(self, device);
        Tensor::random(shape, distribution, device)
    }
}

/// Seeds the backend's global generator; whoever draws from it holds the guard meanwhile.
pub(crate) fn seed_backend(stream: Stream, device: &Device) -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let guard = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    Backend::seed(device, stream.seed());
    guard
}

/// 64-bit FNV-1a of a text: names for streams and parameters.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finaliser of SplitMix64: neighbouring inputs give unrelated outputs.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{cpu, to_host};

    #[test]
    fn the_same_stream_draws_the_same_numbers() {
        let stream = Stream::new(7).fork("dropout").at(3);
        assert_eq!(to_host(stream.uniform([16], &cpu())), to_host(stream.uniform([16], &cpu())));
    }

    #[test]
    fn purposes_and_steps_have_streams_of_their_own() {
        let root = Stream::new(7);
        let seeds = [root, root.fork("a"), root.fork("b"), root.at(0), root.at(1), root.fork("a").at(1)].map(Stream::seed);
        assert!((0..seeds.len()).all(|i| (0..i).all(|j| seeds[i] != seeds[j])), "{seeds:?}");
    }
}
