//! What a plugin crate needs: `use larp_traits::prelude::*;`.

pub use burn::module::{Module, Param};
pub use serde::{Deserialize, Serialize};

pub use crate::error::divides;
pub use crate::precision::{linear_float32, matmul};
pub use crate::tensor::{cpu, ints_to_host, scalar, to_host, untracked};
pub use crate::{
    Backend, Buffer, BuildContext, Component, Condition, ConditionKind, ConditionTokens, Critic, CriticSettings, Decoder,
    DecoderSettings, Device, Draw, DynCritic, DynDecoder, DynEncoder, DynFeatures, DynGenerator, DynPerceptual, DynPrior,
    DynQuantizer, Encoder, EncoderSettings, Features, FeaturesSettings, Fixed, FrameCondition, Generator, GeneratorLoss,
    GeneratorSettings, Init, Int, LatentShape, LossTerm, Perceptual, PerceptualSettings, Prior, PriorLoss, PriorSettings,
    Progress, Quantized, Quantizer, QuantizerSettings, QuantizerShape, Sampling, SettingsError, Stream, Tensor, VideoShape, init,
    params, register, state, typetag,
};
