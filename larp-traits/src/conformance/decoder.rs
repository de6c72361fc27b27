//! Decoders.

use burn::module::Module as _;

use super::compare::assert_finite;
use super::gradients::{assert_reached, nudged};
use super::trial::{VIDEOS, first_fitting, normal};
use super::{Outputs, Subject, Trial};
use crate::tensor::{Tensor, to_host};
use crate::{BuildContext, DecoderSettings, Draw, DynDecoder, Kind, SettingsError};

/// The kind.
pub struct Decoder;

impl Subject for Decoder {
    const KIND: Kind = Kind::Decoder;
    type Settings = Box<dyn DecoderSettings>;
    type Model = DynDecoder;

    fn fit(settings: &Self::Settings, context: BuildContext) -> Result<BuildContext, SettingsError> {
        // a holistic decoder takes any number of tokens, a patchwise one only that of its patches
        let tokens = [6, 8].into_iter().chain(1..=1024);
        let sizes = VIDEOS.into_iter().flat_map(|video| tokens.clone().map(move |tokens| (video, tokens)));
        let (video, latents) = first_fitting(sizes, |(video, tokens)| Ok((video, settings.latents(&video, tokens)?)))?;
        Ok(BuildContext { video, latents, ..context })
    }

    fn build(settings: &Self::Settings, context: &BuildContext) -> Result<DynDecoder, SettingsError> {
        settings.build(context)
    }

    fn outputs(model: &DynDecoder, context: &BuildContext, batch: usize, _: Draw) -> Outputs {
        Outputs::default().float("video", model.decode(embeddings(context, batch)))
    }
}

fn embeddings(context: &BuildContext, batch: usize) -> Tensor<3> {
    normal("embeddings", [batch, context.latents.tokens, context.latents.dim], context)
}

/// Clips have the shape of the pipeline's clips, for any batch.
///
/// # Panics
/// When they do not, or are not finite.
pub fn shapes_are_as_promised(trial: &Trial<Decoder>) {
    let (model, v) = (trial.model(1).no_grad(), trial.context.video);
    for batch in [1, 3] {
        let video = model.decode(embeddings(&trial.context, batch));
        let promised = [batch, v.channels, v.frames, v.height, v.width];
        assert_eq!(video.dims(), promised, "[batch, channels, frames, height, width] of {}", trial.what());
        assert_finite(&format!("clips of {}", trial.what()), &to_host(video));
    }
}

/// The reconstruction loss trains what comes before the decoder.
///
/// # Panics
/// When no gradient arrives.
pub fn gradients_reach_the_embeddings(trial: &Trial<Decoder>) {
    let input = embeddings(&trial.context, 2).require_grad();
    let video = nudged(trial.model(1)).decode(input.clone());
    assert_reached(&format!("the embeddings that {} decodes", trial.what()), &input, Outputs::default().float("video", video));
}
