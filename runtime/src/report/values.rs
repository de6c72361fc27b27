//! Maps of numbers in JSON, which has no NaN and no infinity of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number, or the name of one that JSON cannot hold.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Name(Name),
    // what serde_json itself makes of a NaN
    Null(()),
}

#[derive(Serialize, Deserialize)]
enum Name {
    #[serde(rename = "NaN")]
    NotANumber,
    #[serde(rename = "inf")]
    Infinity,
    #[serde(rename = "-inf")]
    MinusInfinity,
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        match value {
            _ if value.is_nan() => Self::Name(Name::NotANumber),
            f64::INFINITY => Self::Name(Name::Infinity),
            f64::NEG_INFINITY => Self::Name(Name::MinusInfinity),
            _ => Self::Number(value),
        }
    }
}

impl From<Value> for f64 {
    fn from(value: Value) -> Self {
        match value {
            Value::Number(value) => value,
            Value::Name(Name::Infinity) => Self::INFINITY,
            Value::Name(Name::MinusInfinity) => Self::NEG_INFINITY,
            Value::Name(Name::NotANumber) | Value::Null(()) => Self::NAN,
        }
    }
}

/// For `#[serde(with)]`: writes non-finite numbers as `"NaN"`, `"inf"` and `"-inf"`.
pub(crate) fn serialize<S: Serializer>(values: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, Value::from(*value))))
}

/// For `#[serde(with)]`: reads what [`serialize`] writes, and `null` as NaN.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let values = BTreeMap::<String, Value>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.into())).collect())
}
