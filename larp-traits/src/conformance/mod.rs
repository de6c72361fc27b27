//! What every plugin of a kind has to do, as tests.
//!
//! One line in a plugin's crate, in `tests/` or under `#[cfg(test)]`, runs them all; the settings are those of the descriptor with
//! TOML text laid over them, small enough for a test:
//!
//! ```text
//! larp_traits::conformance!(svq: Quantizer, "svq");
//! larp_traits::conformance!(svq_32: Quantizer, "svq", "codebook_size = 32");
//! ```
//!
//! It becomes a module (`svq`) of tests, one a behaviour. With the feature `libtorch` or `cuda` of this crate each runs
//! there too.
//! Video is 3 x 4 x 16 x 24; where the settings refuse it, the first of a few other shapes they take (see [`trial`]).

pub mod compare;
pub mod critic;
pub mod decoder;
pub mod draws;
pub mod encoder;
pub mod features;
pub mod generator;
pub mod gradients;
pub mod perceptual;
pub mod prior;
pub mod quantizer;
pub mod saving;
pub mod settings;
pub mod start;
pub mod trial;

pub use critic::Critic;
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use features::Features;
pub use generator::Generator;
pub use perceptual::Perceptual;
pub use prior::Prior;
pub use quantizer::Quantizer;
pub use trial::{Outputs, Subject, Trial};

use crate::tensor::{Device, cpu};

/// The devices that tests run on: the built-in CPU, and in a build with it libtorch's CPU and the first CUDA device.
pub fn devices() -> Vec<Device> {
    vec![
        cpu(),
        #[cfg(feature = "libtorch")]
        Device::LibTorch(burn_tch::LibTorchDevice::Cpu),
        #[cfg(feature = "cuda")]
        Device::Cuda(burn_cuda::CudaDevice { index: 0 }),
    ]
}

/// Runs one behaviour's test on each device; called by [`conformance!`](macro@crate::conformance).
///
/// # Panics
/// When the behaviour is not there, the settings do not parse or no plugin has this name.
pub fn check<K: Subject>(name: &str, overrides: &str, behaviour: fn(&Trial<K>)) {
    for device in devices() {
        behaviour(&Trial::new(name, overrides, device));
    }
}

/// The conformance suite for one plugin: `conformance!(module: Kind, "name")`, or with settings laid over the defaults,
/// `conformance!(module: Kind, "name", "width = 16\nheads = 2")`. See [`conformance`](mod@crate::conformance).
#[macro_export]
macro_rules! conformance {
    ($module:ident: $kind:ident, $name:literal $(,)?) => {
        $crate::conformance!($module: $kind, $name, "");
    };
    ($module:ident: $kind:ident, $name:literal, $settings:literal $(,)?) => {
        mod $module {
            $crate::conformance!(@tests $kind, $name, $settings;
                settings::settings_survive_a_pipeline_file, settings::an_unknown_key_is_refused,
                start::building_starts_no_parameter, start::the_seed_decides_the_parameters, start::there_are_parameters,
                gradients::gradients_reach_every_parameter, gradients::a_model_without_gradients_keeps_no_graph,
                saving::a_saved_model_gives_the_same_outputs,
                draws::deterministic_outputs_repeat, draws::a_stream_repeats);
            $crate::conformance!(@$kind $name, $settings);
        }
    };
    (@Encoder $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Encoder, $name, $settings; encoder::shapes_are_as_promised);
    };
    (@Quantizer $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Quantizer, $name, $settings;
            quantizer::shapes_are_as_promised, quantizer::tokens_are_in_range, quantizer::tokens_give_the_embeddings_back,
            quantizer::gradients_reach_the_latents, quantizer::a_restarted_code_is_chosen_by_its_latent);
    };
    (@Decoder $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Decoder, $name, $settings;
            decoder::shapes_are_as_promised, decoder::gradients_reach_the_embeddings);
    };
    (@Prior $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Prior, $name, $settings;
            prior::the_loss_is_a_finite_number, prior::gradients_reach_the_embeddings);
    };
    (@Generator $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Generator, $name, $settings;
            generator::the_loss_is_a_finite_number, generator::generated_tokens_are_in_range,
            generator::the_class_changes_no_shape);
    };
    (@Critic $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Critic, $name, $settings;
            critic::shapes_are_as_promised, critic::each_clip_is_scored_by_itself, critic::gradients_reach_the_clips,
            critic::refreshing_changes_no_parameter);
    };
    (@Perceptual $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Perceptual, $name, $settings;
            perceptual::nothing_is_learned, perceptual::each_pair_has_a_distance, perceptual::equal_clips_have_distance_zero,
            perceptual::clips_are_compared_one_by_one, perceptual::gradients_reach_both_clips);
    };
    (@Features $name:literal, $settings:literal) => {
        $crate::conformance!(@tests Features, $name, $settings;
            features::nothing_is_learned, features::each_clip_has_a_vector, features::clips_are_seen_one_by_one,
            features::the_network_can_be_named);
    };
    (@tests $kind:ident, $name:literal, $settings:literal; $($file:ident::$test:ident),+) => {
        $(
            #[test]
            fn $test() {
                $crate::conformance::check::<$crate::conformance::$kind>($name, $settings, $crate::conformance::$file::$test);
            }
        )+
    };
}
