//! What a pickle builds: plain values and descriptions of tensors.

use safetensors::Dtype;

/// Index of a node. Nodes lie in one list, so that neither deep nesting nor a list inside itself can overflow the stack.
pub(super) type Id = usize;

/// One object of a pickle.
#[derive(Debug, Clone)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    Bytes,
    List(Vec<Id>),
    Tuple(Vec<Id>),
    /// Dictionaries, and the attributes of TorchScript's modules.
    Dict {
        items: Vec<(Id, Id)>,
        module: bool,
    },
    Global(Global),
    Storage(StorageRef),
    Tensor(TensorRef),
}

/// The functions and types that a pickle may name; nothing of them is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// A dictionary by another name.
    Dict,
    /// A module of TorchScript: its attributes are read as a dictionary.
    Module,
    /// `torch.Size`.
    Size,
    /// A function whose value is its first argument: a device, a typed list, a parameter.
    First,
    /// A tensor of a storage.
    Tensor,
    /// The type of a storage.
    Storage(Dtype),
}

/// A storage by its key, and the part of it that is meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StorageRef {
    pub dtype: Dtype,
    pub key: String,
    /// Values of the whole storage.
    pub elements: u64,
    /// First value of the part; above 0 only in old files.
    pub first: u64,
}

/// A tensor of a storage.
#[derive(Debug, Clone)]
pub(super) struct TensorRef {
    pub storage: StorageRef,
    pub offset: u64,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}
