//! One plugin under test and what it gives.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::settings::laid_over;
use crate::context::BuildContext;
use crate::draw::{Draw, Stream};
use crate::error::SettingsError;
use crate::params::materialize;
use crate::registry::{Kind, Registry};
use crate::shapes::{LatentShape, QuantizerShape, VideoShape};
use crate::tensor::{Device, Int, Tensor, ints_to_host};

/// The clips of the tests, in the order in which settings are asked for them; height and width differ, lest they be mixed up.
pub const VIDEOS: [VideoShape; 4] = [
    VideoShape { channels: 3, frames: 4, height: 16, width: 24 },
    VideoShape { channels: 3, frames: 4, height: 16, width: 16 },
    VideoShape { channels: 3, frames: 8, height: 32, width: 32 },
    VideoShape { channels: 3, frames: 9, height: 32, width: 32 },
];

/// A kind of component, as the suite sees it.
pub trait Subject: Sized {
    /// The kind.
    const KIND: Kind;
    /// Whether one without parameters makes sense.
    const MAY_LACK_PARAMETERS: bool = false;
    /// Its boxed settings.
    type Settings: Serialize + DeserializeOwned;
    /// The component.
    type Model: burn::module::Module<crate::Backend>;

    /// The sizes that the settings work with, put into `context`, which comes with small ones.
    ///
    /// # Errors
    /// When they work with none of the suite's sizes.
    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError>;

    /// Builds the component.
    ///
    /// # Errors
    /// When the settings cannot work.
    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<Self::Model, SettingsError>;

    /// All it gives for a batch of made-up inputs, always the same.
    fn outputs(model: &Self::Model, context: &BuildContext, batch: usize, draw: Draw) -> Outputs;
}

/// The outputs of a component, flat.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Names and `[count]` values with their graph.
    pub floats: Vec<(String, Tensor<1>)>,
    /// Names and tokens.
    pub ints: Vec<(String, Vec<i64>)>,
}

impl Outputs {
    /// With one more float tensor.
    pub fn float<const D: usize>(mut self, name: impl Into<String>, tensor: Tensor<D>) -> Self {
        self.floats.push((name.into(), tensor.flatten(0, D - 1)));
        self
    }

    /// With one more int tensor.
    pub fn int<const D: usize>(mut self, name: impl Into<String>, tensor: Tensor<D, Int>) -> Self {
        self.ints.push((name.into(), ints_to_host(tensor)));
        self
    }
}

/// A plugin with settings and sizes to build it from.
pub struct Trial<K: Subject> {
    /// Its name.
    pub name: String,
    /// The settings as a table, with their `type`.
    pub table: toml::Table,
    /// The settings.
    pub settings: K::Settings,
    /// The sizes.
    pub context: BuildContext,
}

impl<K: Subject> Trial<K> {
    /// The plugin `name` with `overrides` (TOML) laid over its default settings.
    ///
    /// # Panics
    /// When there is no such plugin, or the settings cannot work.
    pub fn new(name: &str, overrides: &str, device: Device) -> Self {
        let registry = Registry::global().unwrap_or_else(|error| panic!("the registry is inconsistent: {error}"));
        let plugin = registry.get(K::KIND, name).unwrap_or_else(|error| panic!("{error}"));
        let defaults = plugin.settings().unwrap_or_else(|error| panic!("{error}"));
        let overrides = overrides.parse().unwrap_or_else(|error| panic!("settings of the test are not TOML: {error}"));
        let table = laid_over(defaults, overrides);
        let settings = registry.settings::<K::Settings>(K::KIND, table.clone()).unwrap_or_else(|error| panic!("{error}"));
        let small = BuildContext {
            device,
            video: VIDEOS[0],
            latents: LatentShape { tokens: 6, dim: 16 },
            quantizer: QuantizerShape { vocab_size: 11, code_dim: 8, codebook: true },
            classes: 3,
        };
        let context =
            K::fit(&settings, small).unwrap_or_else(|error| panic!("{} `{name}` fits no size of the suite: {error}", K::KIND));
        Self { name: name.into(), table, settings, context }
    }

    /// The component, its parameters not yet started.
    ///
    /// # Panics
    /// When it cannot be built.
    pub fn unstarted(&self) -> K::Model {
        K::build(&self.settings, &self.context).unwrap_or_else(|error| panic!("{} was not built: {error}", self.what()))
    }

    /// The component, started from `seed`.
    pub fn model(&self, seed: u64) -> K::Model {
        materialize(self.unstarted(), seed)
    }

    /// What `model` gives for the made-up inputs.
    pub fn outputs(&self, model: &K::Model, batch: usize, draw: Draw) -> Outputs {
        K::outputs(model, &self.context, batch, draw)
    }

    /// Kind, name and device, for messages.
    pub fn what(&self) -> String {
        format!("{} `{}` on {:?}", K::KIND, self.name, self.context.device)
    }
}

/// The first of `candidates` that `fits`.
///
/// # Errors
/// What was said of the first one, when none does.
pub fn first_fitting<C, T>(
    candidates: impl IntoIterator<Item = C>,
    mut fits: impl FnMut(C) -> Result<T, SettingsError>,
) -> Result<T, SettingsError> {
    let mut refusal = None;
    for candidate in candidates {
        match fits(candidate) {
            Ok(value) => return Ok(value),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| SettingsError::value("sizes", "none", "the suite has to offer one")))
}

/// Made-up tokens `[batch, tokens]`: all of the vocabulary in turn.
pub fn tokens(context: &BuildContext, batch: usize) -> Tensor<2, Int> {
    let (length, vocab) = (context.latents.tokens, context.quantizer.vocab_size);
    unsettle(&context.device);
    let ids = Tensor::<1, Int>::arange(0..(batch * length) as i64, &context.device);
    ids.mul_scalar(7).add_scalar(3).remainder_scalar(vocab as i64).reshape([batch, length])
}

/// Made-up normal values.
pub fn normal<const D: usize>(purpose: &str, shape: [usize; D], context: &BuildContext) -> Tensor<D> {
    let values = Stream::new(11).fork(purpose).normal(shape, &context.device);
    unsettle(&context.device);
    values
}

/// Made-up values in [0, 1).
pub fn uniform<const D: usize>(purpose: &str, shape: [usize; D], context: &BuildContext) -> Tensor<D> {
    let values = Stream::new(11).fork(purpose).uniform(shape, &context.device);
    unsettle(&context.device);
    values
}

/// Leaves the backend's generator in a state that it was never left in: a component that draws from it without seeding would else
/// go on from the seed of the made-up inputs, the same each time.
fn unsettle(device: &Device) {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    Stream::new(19).at(CALLS.fetch_add(1, Ordering::Relaxed)).uniform([1], device);
}
