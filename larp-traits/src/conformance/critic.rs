//! Critics.

use burn::module::Module as _;

use super::compare::{assert_close, assert_finite, parameters};
use super::gradients::{assert_reached, nudged};
use super::trial::{VIDEOS, first_fitting, uniform};
use super::{Outputs, Subject, Trial};
use crate::tensor::{Tensor, to_host};
use crate::{BuildContext, CriticSettings, Draw, DynCritic, Kind, SettingsError, params};

/// The kind.
pub struct Critic;

impl Subject for Critic {
    const KIND: Kind = Kind::Critic;
    type Settings = Box<dyn CriticSettings>;
    type Model = DynCritic;

    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        let video = first_fitting(VIDEOS, |video| settings.check(&video).map(|()| video))?;
        Ok(BuildContext { video, ..context })
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynCritic, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynCritic, context: &BuildContext, batch: usize, _: Draw) -> Outputs {
        Outputs::default().float("scores", model.score(video(context, batch)))
    }
}

fn video(context: &BuildContext, batch: usize) -> Tensor<5> {
    let v = context.video;
    uniform("video", [batch, v.channels, v.frames, v.height, v.width], context)
}

/// There are scores, as many for each clip, for any batch.
///
/// # Panics
/// When there are not, or one is not finite.
pub fn shapes_are_as_promised(trial: &Trial<Critic>) {
    let model = trial.model(1).no_grad();
    let scores = [1, 3].map(|batch| {
        let scores = model.score(video(&trial.context, batch));
        let [clips, scores_a_clip] = scores.dims();
        assert_eq!(clips, batch, "the batch of [batch, scores] of {}", trial.what());
        assert_finite(&format!("scores of {}", trial.what()), &to_host(scores));
        scores_a_clip
    });
    assert!(scores[0] > 0 && scores[0] == scores[1], "{} gives {scores:?} scores a clip for 1 and 3 clips", trial.what());
}

/// A clip's scores are the same whatever else is in the batch.
///
/// # Panics
/// When they differ.
pub fn each_clip_is_scored_by_itself(trial: &Trial<Critic>) {
    let model = nudged(trial.model(1)).no_grad();
    let clips = video(&trial.context, 3);
    let together = model.score(clips.clone());
    let alone = (0..3).map(|clip| model.score(clips.clone().slice_dim(0, clip..clip + 1))).collect();
    let what = format!("scores of {} for each clip alone against all together", trial.what());
    assert_close(&what, &to_host(together), &to_host(Tensor::cat(alone, 0)), 1e-4);
}

/// The tokenizer learns from the critic: the scores have a gradient in the clips.
///
/// # Panics
/// When none arrives.
pub fn gradients_reach_the_clips(trial: &Trial<Critic>) {
    let input = video(&trial.context, 2).require_grad();
    let scores = nudged(trial.model(1)).score(input.clone());
    assert_reached(&format!("the clips that {} scores", trial.what()), &input, Outputs::default().float("scores", scores));
}

/// `refresh` leaves what is learned alone, and the scores stay finite however often it is called.
///
/// # Panics
/// When a learned parameter changes or a score is not finite.
pub fn refreshing_changes_no_parameter(trial: &Trial<Critic>) {
    let mut model = nudged(trial.model(1));
    let learned: Vec<String> = params::list(&model).into_iter().map(|param| param.path).collect();
    let values =
        |model: &DynCritic| -> Vec<_> { parameters(model).into_iter().filter(|(path, _)| learned.contains(path)).collect() };
    let before = values(&model);
    (0..20).for_each(|_| model.refresh());
    assert!(before == values(&model), "`refresh` of {} changes a parameter", trial.what());
    assert_finite(
        &format!("scores of {} after `refresh`", trial.what()),
        &to_host(model.no_grad().score(video(&trial.context, 2))),
    );
}
