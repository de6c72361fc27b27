//! Encoders.

use burn::module::Module as _;

use super::compare::assert_finite;
use super::trial::{VIDEOS, first_fitting, uniform};
use super::{Outputs, Subject, Trial};
use crate::tensor::{Tensor, to_host};
use crate::{BuildContext, Draw, DynEncoder, EncoderSettings, Kind, SettingsError};

/// The kind.
pub struct Encoder;

impl Subject for Encoder {
    const KIND: Kind = Kind::Encoder;
    type Settings = Box<dyn EncoderSettings>;
    type Model = DynEncoder;

    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        let (video, latents) = first_fitting(VIDEOS, |video| Ok((video, settings.latents(&video)?)))?;
        Ok(BuildContext { video, latents, ..context })
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynEncoder, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynEncoder, context: &BuildContext, batch: usize, _: Draw) -> Outputs {
        Outputs::default().float("latents", model.encode(video(context, batch)))
    }
}

fn video(context: &BuildContext, batch: usize) -> Tensor<5> {
    let v = context.video;
    uniform("video", [batch, v.channels, v.frames, v.height, v.width], context)
}

/// Latents have the tokens and the width that settings and encoder promise, for any batch.
///
/// # Panics
/// When they do not, or are not finite.
pub fn shapes_are_as_promised(trial: &Trial<Encoder>) {
    let (model, promised) = (trial.model(1).no_grad(), trial.context.latents);
    assert_eq!(model.latents(), promised, "`latents()` of {} against its settings", trial.what());
    for batch in [1, 3] {
        let latents = model.encode(video(&trial.context, batch));
        assert_eq!(latents.dims(), [batch, promised.tokens, promised.dim], "[batch, tokens, dim] of {}", trial.what());
        assert_finite(&format!("latents of {}", trial.what()), &to_host(latents));
    }
}
