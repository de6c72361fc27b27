//! What a component of a video tokenizer is.
//!
//! ```text
//! clips -> Encoder -> latents -> Quantizer -> tokens, embeddings -> Decoder -> clips
//!                                                   |
//!                                                   +-> Prior (while training): how predictable are the tokens?
//! class -> Generator -> tokens -> Quantizer::dequantize -> Decoder -> clips
//! clips, reconstructions -> Critic (while training): which are which?
//! ```
//!
//! A plugin is a struct of parameters with `#[derive(Component, Debug)]`, one of the traits, settings under
//! `#[typetag::serde(name = "..")]`, and one [`register!`] line. This crate knows no plugin.
//!
//! ```
//! use larp_traits::prelude::*;
//!
//! /// Adds a learned offset: not much of a decoder, but a whole component.
//! #[derive(Component, Debug)]
//! struct Offset {
//!     offset: Param<Tensor<1>>,
//! }
//!
//! let offset = Offset { offset: init::param([4], Init::Zeros, &cpu()) };
//! assert_eq!(params::count(&offset), 4);
//! ```
#![recursion_limit = "256"]

extern crate self as larp_traits;

pub mod buffer;
pub mod component;
pub mod conformance;
pub mod context;
pub mod critic;
pub mod decoder;
pub mod derive;
pub mod deviation;
pub mod draw;
pub mod encoder;
pub mod error;
pub mod features;
pub mod fixed;
pub mod foreign;
pub mod generator;
pub mod init;
pub mod params;
pub mod perceptual;
pub mod precision;
pub mod prelude;
pub mod primitive;
pub mod prior;
pub mod published;
pub mod quantizer;
pub mod registry;
pub mod shapes;
pub mod state;
mod tags;
pub mod tensor;
pub mod weights;

pub use burn;
pub use inventory;
pub use larp_derive::Component;
pub use typetag;

pub use buffer::Buffer;
pub use component::{Component, Erased};
pub use context::BuildContext;
pub use critic::{Critic, CriticSettings, DynCritic};
pub use decoder::{Decoder, DecoderSettings, DynDecoder};
pub use draw::{Draw, Stream};
pub use encoder::{DynEncoder, Encoder, EncoderSettings};
pub use error::{RegistryError, SettingsError, StateError};
pub use features::{DynFeatures, Features, FeaturesSettings};
pub use fixed::Fixed;
pub use generator::{
    Condition, ConditionKind, ConditionTokens, DynGenerator, FrameCondition, Generator, GeneratorLoss, GeneratorSettings,
    Sampling,
};
pub use init::Init;
pub use perceptual::{DynPerceptual, Perceptual, PerceptualSettings};
pub use precision::Precision;
pub use prior::{DynPrior, Prior, PriorLoss, PriorSettings, Progress};
pub use published::PublishedFile;
pub use quantizer::{DynQuantizer, LossTerm, Quantized, Quantizer, QuantizerSettings};
pub use registry::{Descriptor, Kind, Registry};
pub use shapes::{LatentShape, QuantizerShape, VideoShape};
pub use tensor::{Backend, Bool, Device, Dispatch, Float, Int, Tensor};
