//! Writes PyTorch's format from before 1.6: enough of it for settings and float32 tensors.

use larp_plugins::released::NamedTensor;
use serde_json::Value;

/// A value of a pickle.
pub enum Object<'a> {
    Plain(&'a Value),
    /// A key that is a number, as the decay of an average.
    Number(f64),
    Dict(Vec<(Object<'a>, Object<'a>)>),
    Text(&'a str),
    Tensor(&'a NamedTensor),
}

/// A file whose root is `object`.
pub fn file(object: &Object<'_>) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new(), storages: Vec::new() };
    writer.object(object);
    let Writer { bytes, storages } = writer;
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    let machine = b"\x80\x02}U\x0dlittle_endian\x88s.";
    let mut file = [magic, b"\x80\x02M\xe9\x03.".as_slice(), machine, b"\x80\x02", bytes.as_slice(), b".\x80\x02]("].concat();
    for index in 0..storages.len() {
        text(&mut file, &index.to_string());
    }
    file.extend(b"e.");
    for tensor in storages {
        file.extend((tensor.values.len() as u64).to_le_bytes());
        file.extend(tensor.values.iter().flat_map(|value| value.to_le_bytes()));
    }
    file
}

struct Writer<'a> {
    bytes: Vec<u8>,
    storages: Vec<&'a NamedTensor>,
}

impl<'a> Writer<'a> {
    fn object(&mut self, object: &Object<'a>) {
        match object {
            Object::Plain(value) => self.plain(value),
            Object::Text(value) => text(&mut self.bytes, value),
            Object::Number(value) => self.float(*value),
            Object::Dict(items) => {
                self.bytes.extend(b"ccollections\nOrderedDict\n)R(");
                for (key, value) in items {
                    self.object(key);
                    self.object(value);
                }
                self.bytes.push(b'u');
            }
            Object::Tensor(tensor) => self.tensor(tensor),
        }
    }

    fn plain(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes.push(b'N'),
            Value::Bool(value) => self.bytes.push(if *value { 0x88 } else { 0x89 }),
            Value::Number(value) => match value.as_i64() {
                Some(value) => self.int(value as i32),
                None => self.float(value.as_f64().expect("a number")),
            },
            Value::String(value) => text(&mut self.bytes, value),
            Value::Array(values) => {
                self.bytes.extend(b"](");
                values.iter().for_each(|value| self.plain(value));
                self.bytes.push(b'e');
            }
            Value::Object(values) => {
                self.bytes.extend(b"}(");
                for (key, value) in values {
                    text(&mut self.bytes, key);
                    self.plain(value);
                }
                self.bytes.push(b'u');
            }
        }
    }

    fn tensor(&mut self, tensor: &'a NamedTensor) {
        self.bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut self.bytes, "storage");
        self.bytes.extend(b"ctorch\nFloatStorage\n");
        text(&mut self.bytes, &self.storages.len().to_string());
        text(&mut self.bytes, "cpu");
        self.int(tensor.values.len() as i32);
        self.bytes.extend(b"NtQ");
        self.int(0);
        self.ints(&tensor.shape);
        let strides: Vec<usize> = (0..tensor.shape.len()).map(|axis| tensor.shape[axis + 1..].iter().product()).collect();
        self.ints(&strides);
        self.bytes.extend(b"\x89ccollections\nOrderedDict\n)RtR");
        self.storages.push(tensor);
    }

    fn ints(&mut self, values: &[usize]) {
        self.bytes.push(b'(');
        values.iter().for_each(|value| self.int(*value as i32));
        self.bytes.push(b't');
    }

    fn int(&mut self, value: i32) {
        self.bytes.push(b'J');
        self.bytes.extend(value.to_le_bytes());
    }

    fn float(&mut self, value: f64) {
        self.bytes.push(b'G');
        self.bytes.extend(value.to_be_bytes());
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'X');
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.bytes());
}
