//! Lazy parameters that know their initial distribution.
//!
//! A parameter's first values depend on the run's seed and its own dotted path alone (see [`materialize`](crate::params::materialize)),
//! so another quantizer leaves the encoder's start as it was, and every device starts from the same numbers. Until then it holds
//! a shape and no memory: `inspect` counts the largest models at once.

use std::cell::Cell;

use burn::module::{Param, ParamId};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, RmsNorm, RmsNormConfig};
use burn::tensor::TensorData;
use rand::RngExt as _;
use rand_distr::{Distribution as _, Normal, Uniform};

use crate::draw::Stream;
use crate::tensor::{Backend, Device, Tensor};

/// The initial distribution of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// Normal with mean 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// Half the width.
        bound: f64,
    },
    /// These values, row-major.
    Values(std::sync::Arc<Vec<f32>>),
}

impl Init {
    /// Xavier (Glorot) uniform of a matrix.
    pub fn xavier_uniform(fan_in: usize, fan_out: usize) -> Self {
        Self::xavier_uniform_times(1.0, fan_in, fan_out)
    }

    /// [`xavier_uniform`](Self::xavier_uniform), `gain` times as wide.
    pub fn xavier_uniform_times(gain: f64, fan_in: usize, fan_out: usize) -> Self {
        Init::Uniform { bound: gain * (6.0 / (fan_in + fan_out) as f64).sqrt() }
    }

    fn values(&self, count: usize, stream: Stream) -> Vec<f32> {
        let mut rng = stream.rng();
        match self {
            Init::Zeros => vec![0.0; count],
            Init::Ones => vec![1.0; count],
            Init::Normal { std } => match Normal::new(0.0, *std as f32) {
                Ok(normal) => normal.sample_iter(rng).take(count).collect(),
                Err(_) => panic!("a standard deviation of {std}"),
            },
            Init::Uniform { bound } => match Uniform::new(-*bound as f32, *bound as f32) {
                Ok(uniform) => (0..count).map(|_| rng.sample(uniform)).collect(),
                Err(_) => panic!("a uniform distribution of half width {bound}"),
            },
            Init::Values(values) => values.to_vec(),
        }
    }
}

thread_local! {
    /// The stream of the parameter that is being initialised on this thread.
    static CURRENT: Cell<Stream> = Cell::new(Stream::new(0));
}

/// Runs `f` while `param`s that start on this thread draw from `stream`.
pub(crate) fn with_stream<T>(stream: Stream, f: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(stream);
    let value = f();
    CURRENT.set(before);
    value
}

/// A learned parameter.
pub fn param<const D: usize>(shape: [usize; D], init: Init, device: &Device) -> Param<Tensor<D>> {
    lazy(shape, init, device, true)
}

/// The value of a [`Buffer`](crate::Buffer).
pub(crate) fn unlearned<const D: usize>(shape: [usize; D], init: Init, device: &Device) -> Param<Tensor<D>> {
    lazy(shape, init, device, false)
}

fn lazy<const D: usize>(shape: [usize; D], init: Init, device: &Device, learned: bool) -> Param<Tensor<D>> {
    let start = move |device: &Device, require_grad: bool| {
        let values = init.values(shape.iter().product(), CURRENT.get());
        Tensor::from_data(TensorData::new(values, shape), device).set_require_grad(require_grad)
    };
    Param::uninitialized(ParamId::new(), start, device.clone(), learned, shape.into())
}

/// A linear layer `[.., inputs] -> [.., outputs]`; the bias, where there is one, starts at zero.
pub fn linear(inputs: usize, outputs: usize, bias: bool, init: Init, device: &Device) -> Linear<Backend> {
    let mut linear = LinearConfig::new(inputs, outputs).with_bias(bias).init(device);
    linear.weight = param([inputs, outputs], init, device);
    linear.bias = bias.then(|| param([outputs], Init::Zeros, device));
    linear
}

/// A table of `rows` vectors.
pub fn embedding(rows: usize, dim: usize, init: Init, device: &Device) -> Embedding<Backend> {
    let mut embedding = EmbeddingConfig::new(rows, dim).init(device);
    embedding.weight = param([rows, dim], init, device);
    embedding
}

/// LayerNorm over the last axis.
pub fn layer_norm(dim: usize, eps: f64, device: &Device) -> LayerNorm<Backend> {
    let mut norm = LayerNormConfig::new(dim).with_epsilon(eps).init(device);
    norm.gamma = param([dim], Init::Ones, device);
    norm.beta = Some(param([dim], Init::Zeros, device));
    norm
}

/// RMSNorm over the last axis.
pub fn rms_norm(dim: usize, eps: f64, device: &Device) -> RmsNorm<Backend> {
    let mut norm = RmsNormConfig::new(dim).with_epsilon(eps).init(device);
    norm.gamma = param([dim], Init::Ones, device);
    norm
}
