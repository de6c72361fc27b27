//! Feature networks.

use super::compare::{assert_close, assert_finite};
use super::trial::{VIDEOS, first_fitting, uniform};
use super::{Outputs, Subject, Trial};
use crate::params;
use crate::tensor::{Tensor, to_host};
use crate::{BuildContext, Draw, DynFeatures, FeaturesSettings, Kind, SettingsError};

/// The kind.
pub struct Features;

impl Subject for Features {
    const KIND: Kind = Kind::Features;
    const MAY_LACK_PARAMETERS: bool = true;
    type Settings = Box<dyn FeaturesSettings>;
    type Model = DynFeatures;

    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        let video = first_fitting(VIDEOS, |video| settings.check(&video).map(|()| video))?;
        Ok(BuildContext { video, ..context })
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynFeatures, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynFeatures, context: &BuildContext, batch: usize, _: Draw) -> Outputs {
        Outputs::default().float("features", model.features(clips(context, batch)))
    }
}

fn clips(context: &BuildContext, batch: usize) -> Tensor<5> {
    let v = context.video;
    uniform("clips", [batch, v.channels, v.frames, v.height, v.width], context)
}

/// The network is fixed: it is the same yardstick for everybody.
///
/// # Panics
/// When it has parameters.
pub fn nothing_is_learned(trial: &Trial<Features>) {
    let count = params::count(&trial.unstarted());
    assert_eq!(count, 0, "{} has {count} learned values; keep its weights in `Fixed`", trial.what());
}

/// One finite vector a clip, of the promised width, for any batch; different clips have different ones.
///
/// # Panics
/// When it is not so.
pub fn each_clip_has_a_vector(trial: &Trial<Features>) {
    let (model, what, dim) = (trial.model(1), trial.what(), trial.settings.dim());
    for batch in [1, 3] {
        let features = model.features(clips(&trial.context, batch));
        assert_eq!(features.dims(), [batch, dim], "features of {what} for {batch} clips");
        let values = to_host(features);
        assert_finite(&format!("features of {what}"), &values);
        assert!(batch == 1 || values[..dim] != values[dim..2 * dim], "{what} sees no difference between two clips");
    }
}

/// The vector of a clip does not depend on the others of its batch.
///
/// # Panics
/// When it does.
pub fn clips_are_seen_one_by_one(trial: &Trial<Features>) {
    let (model, clips) = (trial.model(1), clips(&trial.context, 3));
    let together = to_host(model.features(clips.clone()));
    let alone: Vec<f32> = (0..3).flat_map(|index| to_host(model.features(clips.clone().narrow(0, index, 1)))).collect();
    assert_close(&format!("features of {}, three clips at once against one by one", trial.what()), &alone, &together, 1e-4);
}

/// A card can name the network: the weights have a hash, and the distance a name.
///
/// # Panics
/// When one is missing.
pub fn the_network_can_be_named(trial: &Trial<Features>) {
    let hash = trial.settings.weights_sha256().unwrap_or_else(|error| panic!("{}: {error}", trial.what()));
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}: SHA-256 `{hash}`", trial.what());
    assert!(!trial.settings.distance_name().is_empty(), "{} gives its distance no name", trial.what());
}
