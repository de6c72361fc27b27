//! Perceptual distances.

use super::compare::{assert_close, assert_finite};
use super::gradients::assert_reached;
use super::trial::{VIDEOS, first_fitting, uniform};
use super::{Outputs, Subject, Trial};
use crate::params;
use crate::tensor::{Tensor, to_host};
use crate::{BuildContext, Draw, DynPerceptual, Kind, PerceptualSettings, SettingsError};

/// The kind.
pub struct Perceptual;

impl Subject for Perceptual {
    const KIND: Kind = Kind::Perceptual;
    const MAY_LACK_PARAMETERS: bool = true;
    type Settings = Box<dyn PerceptualSettings>;
    type Model = DynPerceptual;

    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        let video = first_fitting(VIDEOS, |video| settings.check(&video).map(|()| video))?;
        Ok(BuildContext { video, ..context })
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynPerceptual, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynPerceptual, context: &BuildContext, batch: usize, _: Draw) -> Outputs {
        Outputs::default().float("distance", model.distance(clips("a", context, batch), clips("b", context, batch)))
    }
}

fn clips(name: &str, context: &BuildContext, batch: usize) -> Tensor<5> {
    let v = context.video;
    uniform(name, [batch, v.channels, v.frames, v.height, v.width], context)
}

/// The network is fixed: an optimiser finds nothing in it, and a checkpoint does not grow by it.
///
/// # Panics
/// When it has parameters.
pub fn nothing_is_learned(trial: &Trial<Perceptual>) {
    let count = params::count(&trial.unstarted());
    assert_eq!(count, 0, "{} has {count} learned values; keep its weights in `Fixed`", trial.what());
}

/// One finite number a pair, not negative, for any batch.
///
/// # Panics
/// When it is not so.
pub fn each_pair_has_a_distance(trial: &Trial<Perceptual>) {
    let (model, what) = (trial.model(1), trial.what());
    for batch in [1, 3] {
        let values = to_host(model.distance(clips("a", &trial.context, batch), clips("b", &trial.context, batch)));
        assert_eq!(values.len(), batch, "distances of {what} for {batch} pairs");
        assert_finite(&format!("distances of {what}"), &values);
        assert!(values.iter().all(|value| *value > 0.0), "distances of {what} for different clips: {values:?}");
    }
}

/// A clip looks like itself.
///
/// # Panics
/// When the distance is above 1e-6.
pub fn equal_clips_have_distance_zero(trial: &Trial<Perceptual>) {
    let video = clips("a", &trial.context, 2);
    let values = to_host(trial.model(1).distance(video.clone(), video));
    assert_close(&format!("the distance of {} from a clip to itself", trial.what()), &[0.0, 0.0], &values, 1e-6);
}

/// The distance of a pair does not depend on the others of its batch.
///
/// # Panics
/// When it does.
pub fn clips_are_compared_one_by_one(trial: &Trial<Perceptual>) {
    let (model, [a, b]) = (trial.model(1), ["a", "b"].map(|name| clips(name, &trial.context, 3)));
    let together = to_host(model.distance(a.clone(), b.clone()));
    let alone = (0..3).flat_map(|index| to_host(model.distance(a.clone().narrow(0, index, 1), b.clone().narrow(0, index, 1))));
    let what = format!("distances of {}, three pairs at once against one by one", trial.what());
    assert_close(&what, &alone.collect::<Vec<_>>(), &together, 1e-4);
}

/// A reconstruction learns from it, on whichever side it stands.
///
/// # Panics
/// When no gradient arrives.
pub fn gradients_reach_both_clips(trial: &Trial<Perceptual>) {
    let model = trial.model(1);
    let [a, b] = ["a", "b"].map(|name| clips(name, &trial.context, 2));
    for first in [true, false] {
        let input = if first { a.clone() } else { b.clone() }.require_grad();
        let distance = if first { model.distance(input.clone(), b.clone()) } else { model.distance(a.clone(), input.clone()) };
        let what = format!("the {} clip that {} compares", if first { "first" } else { "second" }, trial.what());
        assert_reached(&what, &input, Outputs::default().float("distance", distance));
    }
}
