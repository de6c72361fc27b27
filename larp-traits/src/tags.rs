//! The names under which `typetag` knows settings.
//!
//! `typetag` keeps its table to itself, but an unknown tag is answered with the known ones: the error type here keeps that answer.

use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned};

/// The tags of a settings trait object, sorted.
pub(crate) fn known_tags<S: DeserializeOwned>() -> Vec<&'static str> {
    let unknown = MapDeserializer::<_, Expected>::new([("type", "\0")].into_iter());
    match S::deserialize(unknown) {
        Ok(_) => Vec::new(),
        Err(Expected(mut tags)) => {
            tags.sort_unstable();
            tags
        }
    }
}

#[derive(Debug)]
struct Expected(Vec<&'static str>);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one of {:?}", self.0)
    }
}

impl std::error::Error for Expected {}

impl de::Error for Expected {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(Vec::new())
    }
    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected.to_vec())
    }
}
