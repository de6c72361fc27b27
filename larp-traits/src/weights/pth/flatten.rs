//! A pickle's objects to named tensors and plain values.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::node::{Id, Node, TensorRef};
use super::pickle::{Pickle, Refusal};
use crate::weights::source::Source;
use crate::weights::tensor::{Storage, WeightTensor};
use crate::weights::{Weights, WeightsError};

/// Nesting that no settings reach; a list inside itself does.
const DEEPEST: usize = 64;

/// Objects in all: one that is named twice is written twice, and a few bytes could name an object 2^60 times.
const MOST: usize = 4 << 20;

/// Where the storage of a key begins.
pub(super) type Places = BTreeMap<String, u64>;

pub(super) fn flatten(pickle: &Pickle, root: Id, source: &Source, places: &Places) -> Result<Weights, WeightsError> {
    let mut walk = Walk { pickle, source, places, tensors: BTreeMap::new(), left: MOST };
    let values = walk.visit(root, &mut Vec::new())?.unwrap_or(Value::Null);
    Ok(Weights { tensors: walk.tensors, values })
}

struct Walk<'a> {
    pickle: &'a Pickle,
    source: &'a Source,
    places: &'a Places,
    tensors: BTreeMap<String, WeightTensor>,
    left: usize,
}

impl Walk<'_> {
    /// The plain value; `None` for a tensor, which goes into the list.
    fn visit(&mut self, id: Id, path: &mut Vec<String>) -> Result<Option<Value>, WeightsError> {
        if self.left == 0 || path.len() > DEEPEST {
            return Err(self.source.malformed("its objects are nested too deeply or too often"));
        }
        self.left -= 1;
        Ok(Some(match &self.pickle.nodes[id] {
            Node::None => Value::Null,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(value) => integer(*value),
            // JSON has no word for infinity
            Node::Float(value) => Number::from_f64(*value).map_or_else(|| Value::String(value.to_string()), Value::Number),
            Node::Text(value) => Value::String(value.clone()),
            Node::List(items) | Node::Tuple(items) => {
                let mut values = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    values.extend(self.inside(index.to_string(), *item, path)?);
                }
                Value::Array(values)
            }
            Node::Dict { items, .. } => {
                let mut values = Map::new();
                for (key, item) in items {
                    let key = self.key(*key)?;
                    if let Some(value) = self.inside(key.clone(), *item, path)? {
                        values.insert(key, value);
                    }
                }
                Value::Object(values)
            }
            Node::Tensor(tensor) => {
                let (name, tensor) = (path.join("."), self.tensor(tensor)?);
                if self.tensors.insert(name.clone(), tensor).is_some() {
                    return Err(self.source.malformed(format!("two tensors are called `{name}`")));
                }
                return Ok(None);
            }
            Node::Bytes | Node::Global(_) | Node::Storage(_) => {
                let place = path.join(".");
                return Err(self.source.malformed(format!("`{place}` is neither a tensor nor a plain value")));
            }
        }))
    }

    fn inside(&mut self, key: String, item: Id, path: &mut Vec<String>) -> Result<Option<Value>, WeightsError> {
        path.push(key);
        let value = self.visit(item, path);
        path.pop();
        value
    }

    /// Keys are texts, but the released averages are found by their decay: `{0.9999: ..}`.
    fn key(&self, id: Id) -> Result<String, WeightsError> {
        match &self.pickle.nodes[id] {
            Node::Text(key) => Ok(key.clone()),
            Node::Int(key) => Ok(key.to_string()),
            Node::Float(key) => Ok(format!("{key:?}")),
            Node::Bool(key) => Ok(key.to_string()),
            _ => Err(self.source.malformed("a key of a dictionary is neither a text nor a number")),
        }
    }

    fn tensor(&self, tensor: &TensorRef) -> Result<WeightTensor, WeightsError> {
        let of = &tensor.storage;
        let place =
            self.places.get(&of.key).ok_or_else(|| self.source.malformed(format!("the storage `{}` is missing", of.key)))?;
        let storage = Storage { dtype: of.dtype, start: *place, elements: of.elements };
        let too_far = || self.source.malformed(format!("a tensor begins far outside the storage `{}`", of.key));
        let offset = tensor.offset.checked_add(of.first).ok_or_else(too_far)?;
        WeightTensor::view(self.source, &storage, offset, tensor.shape.clone(), tensor.strides.clone())
    }
}

fn integer(value: i128) -> Value {
    let small = i64::try_from(value).map(Value::from).or_else(|_| u64::try_from(value).map(Value::from));
    small.unwrap_or_else(|_| Value::String(value.to_string()))
}

impl Source {
    pub(super) fn refuse(&self, refusal: Refusal) -> WeightsError {
        match refusal {
            Refusal::Io(error) => self.io(error),
            Refusal::Forbidden(object) => WeightsError::Forbidden { path: self.path.to_path_buf(), object },
            Refusal::Malformed(reason) => self.malformed(reason),
        }
    }
}
