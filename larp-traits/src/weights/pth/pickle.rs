//! Reads a pickle as data.
//!
//! Python's own reader calls whatever the file names. This one knows the few names of [`globals`](super::globals) and builds plain
//! values of them; at any other name it stops. Memory is bounded: a pickle is at most [`LARGEST`] bytes and [`MOST_NODES`] objects.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Read};

use safetensors::Dtype;

use super::globals::global;
use super::node::{Global, Id, Node, StorageRef, TensorRef};
use super::opcode as op;

/// Bytes of one pickle; the values of the tensors lie outside it.
const LARGEST: u64 = 64 << 20;

/// Objects of one pickle.
const MOST_NODES: usize = 4 << 20;

/// Why a pickle was not read.
#[derive(Debug)]
pub(super) enum Refusal {
    Io(io::Error),
    /// A name that is not known.
    Forbidden(String),
    Malformed(String),
}

type Result<T> = std::result::Result<T, Refusal>;

fn malformed<T>(message: impl Into<String>) -> Result<T> {
    Err(Refusal::Malformed(message.into()))
}

/// What one or several pickles of a file built.
#[derive(Debug, Default)]
pub(super) struct Pickle {
    pub nodes: Vec<Node>,
    /// The storages that were named.
    pub storages: BTreeMap<String, (Dtype, u64)>,
}

struct Machine<'a, R> {
    input: io::Take<&'a mut R>,
    built: &'a mut Pickle,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl Pickle {
    /// Reads one pickle, up to and with its end; gives its root.
    pub fn read(&mut self, input: &mut impl BufRead) -> Result<Id> {
        let input = input.take(LARGEST);
        Machine { input, built: self, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() }.run()
    }
}

impl<R: BufRead> Machine<'_, R> {
    fn run(mut self) -> Result<Id> {
        loop {
            let [code] = self.take()?;
            match code {
                op::STOP => return self.pop(),
                op::PROTO => drop(self.take::<1>()?),
                op::FRAME => drop(self.take::<8>()?),
                op::MARK => self.marks.push(self.stack.len()),
                op::POP => drop(self.pop()?),
                op::POP_MARK => drop(self.pop_mark()?),
                op::DUP => {
                    let top = self.pop()?;
                    self.stack.extend([top, top]);
                }
                op::NONE => self.push(Node::None)?,
                op::NEW_TRUE => self.push(Node::Bool(true))?,
                op::NEW_FALSE => self.push(Node::Bool(false))?,
                op::BIN_INT => {
                    let value = i32::from_le_bytes(self.take()?);
                    self.push(Node::Int(value.into()))?;
                }
                op::BIN_INT1 => {
                    let [value] = self.take()?;
                    self.push(Node::Int(value.into()))?;
                }
                op::BIN_INT2 => {
                    let value = u16::from_le_bytes(self.take()?);
                    self.push(Node::Int(value.into()))?;
                }
                op::LONG1 => self.long()?,
                op::BIN_FLOAT => {
                    let value = f64::from_be_bytes(self.take()?);
                    self.push(Node::Float(value))?;
                }
                op::SHORT_BIN_STRING | op::SHORT_BIN_UNICODE => {
                    let [length] = self.take()?;
                    self.text(length.into())?;
                }
                op::BIN_STRING | op::BIN_UNICODE => {
                    let length = u32::from_le_bytes(self.take()?);
                    self.text(length.into())?;
                }
                op::BIN_UNICODE8 => {
                    let length = u64::from_le_bytes(self.take()?);
                    self.text(length)?;
                }
                op::SHORT_BIN_BYTES => {
                    let [length] = self.take()?;
                    self.bytes(length.into())?;
                    self.push(Node::Bytes)?;
                }
                op::BIN_BYTES => {
                    let length = u32::from_le_bytes(self.take()?);
                    self.bytes(length.into())?;
                    self.push(Node::Bytes)?;
                }
                op::EMPTY_LIST => self.push(Node::List(Vec::new()))?,
                op::EMPTY_TUPLE => self.push(Node::Tuple(Vec::new()))?,
                op::EMPTY_DICT => self.push(Node::Dict { items: Vec::new(), module: false })?,
                op::LIST => {
                    let items = self.pop_mark()?;
                    self.push(Node::List(items))?;
                }
                op::TUPLE => {
                    let items = self.pop_mark()?;
                    self.push(Node::Tuple(items))?;
                }
                op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                    let mut items = (op::TUPLE1..=code).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
                    items.reverse();
                    self.push(Node::Tuple(items))?;
                }
                op::DICT => {
                    let items = pairs(&self.pop_mark()?)?;
                    self.push(Node::Dict { items, module: false })?;
                }
                op::APPEND => {
                    let item = self.pop()?;
                    self.list()?.push(item);
                }
                op::APPENDS => {
                    let items = self.pop_mark()?;
                    self.list()?.extend(items);
                }
                op::SET_ITEM => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.dict()?.push((key, value));
                }
                op::SET_ITEMS => {
                    let items = pairs(&self.pop_mark()?)?;
                    self.dict()?.extend(items);
                }
                op::BIN_PUT => {
                    let [key] = self.take()?;
                    self.remember(key.into())?;
                }
                op::LONG_BIN_PUT => {
                    let key = u32::from_le_bytes(self.take()?);
                    self.remember(key)?;
                }
                op::MEMOIZE => {
                    let key = self.memo.len() as u32;
                    self.remember(key)?;
                }
                op::BIN_GET => {
                    let [key] = self.take()?;
                    self.recall(key.into())?;
                }
                op::LONG_BIN_GET => {
                    let key = u32::from_le_bytes(self.take()?);
                    self.recall(key)?;
                }
                op::GLOBAL => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(&module, &name)?;
                }
                op::STACK_GLOBAL => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let (Node::Text(module), Node::Text(name)) = (self.node(module), self.node(name)) else {
                        return malformed("a global without a name");
                    };
                    let (module, name) = (module.clone(), name.clone());
                    self.global(&module, &name)?;
                }
                op::BIN_PERS_ID => {
                    let id = self.pop()?;
                    let storage = self.storage(id)?;
                    self.push(Node::Storage(storage))?;
                }
                op::REDUCE | op::NEW_OBJ => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.call(function, arguments)?;
                }
                op::BUILD => {
                    let state = self.pop()?;
                    self.build(state)?;
                }
                other => return malformed(format!("an opcode {other:#04x} in its pickle")),
            }
        }
    }

    fn call(&mut self, function: Id, arguments: Id) -> Result<()> {
        let (Node::Global(function), Node::Tuple(arguments)) = (self.node(function), self.node(arguments)) else {
            return malformed("a call of something that is no known type");
        };
        let (function, arguments) = (*function, arguments.clone());
        match function {
            Global::Dict | Global::Module => {
                let mut items = Vec::new();
                for pair in arguments.first().map(|list| self.items(*list)).transpose()?.unwrap_or_default() {
                    items.extend(pairs(&self.items(pair)?)?);
                }
                self.push(Node::Dict { items, module: function == Global::Module })
            }
            Global::First | Global::Size => {
                let Some(first) = arguments.first() else { return malformed("a call without an argument") };
                self.stack.push(*first);
                Ok(())
            }
            Global::Tensor => {
                let tensor = self.tensor(&arguments)?;
                self.push(Node::Tensor(tensor))
            }
            Global::Storage(_) => malformed("a storage outside the list of storages"),
        }
    }

    /// The state of an object: attributes of a dictionary say nothing, those of a TorchScript module are its parameters.
    fn build(&mut self, state: Id) -> Result<()> {
        let state = match self.node(state) {
            Node::Dict { items, .. } => items.clone(),
            _ => return malformed("the state of an object is no dictionary"),
        };
        let Some(top) = self.stack.last().copied() else { return malformed("a state without an object") };
        match self.built.nodes.get_mut(top) {
            Some(Node::Dict { items, module: true }) => items.extend(state),
            Some(Node::Dict { .. }) => {}
            _ => return malformed("a state of something that has none"),
        }
        Ok(())
    }

    /// `(storage, offset, shape, strides, ..)`; whether it wants a gradient and its hooks say nothing here.
    fn tensor(&self, arguments: &[Id]) -> Result<TensorRef> {
        let [storage, offset, shape, strides, ..] = arguments else { return malformed("a tensor with too few arguments") };
        let Node::Storage(storage) = self.node(*storage) else { return malformed("a tensor without a storage") };
        Ok(TensorRef {
            storage: storage.clone(),
            offset: self.size(*offset)?,
            shape: self.sizes(*shape)?,
            strides: self.sizes(*strides)?,
        })
    }

    /// `('storage', type, key, device, values)` and, in old files, the part of it: `(key, first, values)`.
    fn storage(&mut self, id: Id) -> Result<StorageRef> {
        let parts = self.items(id)?;
        let [tag, kind, key, _, elements, view @ ..] = parts.as_slice() else { return malformed("a storage that is none") };
        let (Node::Text(tag), Node::Global(Global::Storage(dtype)), Node::Text(key)) =
            (self.node(*tag), self.node(*kind), self.node(*key))
        else {
            return malformed("a storage without a known type and a key");
        };
        if tag != "storage" {
            return Err(Refusal::Forbidden(tag.clone()));
        }
        let (dtype, key, elements) = (*dtype, key.clone(), self.size(*elements)?);
        let first = match view.first().map(|view| self.node(*view)) {
            None | Some(Node::None) => 0,
            Some(Node::Tuple(view)) if view.len() == 3 => self.size(view[1])?,
            Some(_) => return malformed("a part of a storage that is none"),
        };
        let known = self.built.storages.entry(key.clone()).or_insert((dtype, elements));
        if *known != (dtype, elements) {
            return malformed(format!("two types or sizes for the storage `{key}`"));
        }
        Ok(StorageRef { dtype, key, elements, first })
    }

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        match global(module, name) {
            Some(node) => self.push(node),
            None => Err(Refusal::Forbidden(format!("{module}.{name}"))),
        }
    }

    fn push(&mut self, node: Node) -> Result<()> {
        if self.built.nodes.len() >= MOST_NODES {
            return malformed(format!("more than {MOST_NODES} objects in its pickle"));
        }
        self.stack.push(self.built.nodes.len());
        self.built.nodes.push(node);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id> {
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return malformed("its pickle takes more objects than there are");
        }
        Ok(self.stack.pop().unwrap_or_default())
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => malformed("its pickle ends a group that it did not begin"),
        }
    }

    fn node(&self, id: Id) -> &Node {
        &self.built.nodes[id]
    }

    fn items(&self, id: Id) -> Result<Vec<Id>> {
        match self.node(id) {
            Node::List(items) | Node::Tuple(items) => Ok(items.clone()),
            _ => malformed("something else where a list belongs"),
        }
    }

    fn list(&mut self) -> Result<&mut Vec<Id>> {
        match self.stack.last().and_then(|top| self.built.nodes.get_mut(*top)) {
            Some(Node::List(items)) => Ok(items),
            _ => malformed("an item without its list"),
        }
    }

    fn dict(&mut self) -> Result<&mut Vec<(Id, Id)>> {
        match self.stack.last().and_then(|top| self.built.nodes.get_mut(*top)) {
            Some(Node::Dict { items, .. }) => Ok(items),
            _ => malformed("an item without its dictionary"),
        }
    }

    fn size(&self, id: Id) -> Result<u64> {
        match self.node(id) {
            Node::Int(value) => u64::try_from(*value).or_else(|_| malformed(format!("a size of {value}"))),
            _ => malformed("a size that is no number"),
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>> {
        let size = |id| usize::try_from(self.size(id)?).or_else(|_| malformed("a size too large for this machine"));
        self.items(id)?.into_iter().map(size).collect()
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let Some(top) = self.stack.last() else { return malformed("nothing to remember") };
        self.memo.insert(key, *top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let Some(id) = self.memo.get(&key) else { return malformed("an object that was not remembered") };
        self.stack.push(*id);
        Ok(())
    }

    fn long(&mut self) -> Result<()> {
        let [length] = self.take()?;
        let bytes = self.bytes(length.into())?;
        let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
        let mut value = [fill; size_of::<i128>()];
        let Some(low) = value.get_mut(..bytes.len()) else { return malformed("a number of more than 128 bits") };
        low.copy_from_slice(&bytes);
        self.push(Node::Int(i128::from_le_bytes(value)))
    }

    fn text(&mut self, length: u64) -> Result<()> {
        match String::from_utf8(self.bytes(length)?) {
            Ok(text) => self.push(Node::Text(text)),
            Err(_) => malformed("a text that is not UTF-8"),
        }
    }

    /// Memory grows with what is there, not with what the length says.
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.input).take(length).read_to_end(&mut bytes).map_err(Refusal::Io)?;
        if (bytes.len() as u64) < length { malformed("its pickle ends in the middle") } else { Ok(bytes) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.input.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => malformed("its pickle ends in the middle"),
            Err(error) => Err(Refusal::Io(error)),
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line).map_err(Refusal::Io)?;
        match (line.pop(), String::from_utf8(line)) {
            (Some(b'\n'), Ok(line)) => Ok(line),
            _ => malformed("a name without an end"),
        }
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    } else {
        malformed("a key without a value")
    }
}
