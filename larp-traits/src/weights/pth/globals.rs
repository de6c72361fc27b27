//! Which objects a pickle may name.

use safetensors::Dtype;

use super::node::{Global, Node};

const STORAGES: &[(&str, Dtype)] = &[
    ("FloatStorage", Dtype::F32),
    ("DoubleStorage", Dtype::F64),
    ("HalfStorage", Dtype::F16),
    ("BFloat16Storage", Dtype::BF16),
    ("ByteStorage", Dtype::U8),
    ("CharStorage", Dtype::I8),
    ("ShortStorage", Dtype::I16),
    ("IntStorage", Dtype::I32),
    ("LongStorage", Dtype::I64),
    ("BoolStorage", Dtype::BOOL),
];

const DTYPES: &[&str] =
    &["float32", "float64", "float16", "bfloat16", "float", "double", "half", "uint8", "int8", "int16", "int32", "int64", "bool"];

const FUNCTIONS: &[(&str, &str, Global)] = &[
    ("collections", "OrderedDict", Global::Dict),
    // the released trainers keep their settings in one
    ("easydict", "EasyDict", Global::Dict),
    ("torch", "Size", Global::Size),
    ("torch", "device", Global::First),
    ("torch._utils", "_rebuild_tensor", Global::Tensor),
    ("torch._utils", "_rebuild_tensor_v2", Global::Tensor),
    ("torch._utils", "_rebuild_parameter", Global::First),
    ("torch.jit._pickle", "build_intlist", Global::First),
    ("torch.jit._pickle", "build_doublelist", Global::First),
    ("torch.jit._pickle", "build_boollist", Global::First),
    ("torch.jit._pickle", "build_tensorlist", Global::First),
    ("torch.jit._pickle", "restore_type_tag", Global::First),
];

/// What a name stands for; `None` for all that is neither part of a tensor nor a plain value.
pub(super) fn global(module: &str, name: &str) -> Option<Node> {
    if let Some((_, _, global)) = FUNCTIONS.iter().find(|(of, known, _)| (*of, *known) == (module, name)) {
        return Some(Node::Global(*global));
    }
    match module {
        "torch" | "torch.cuda" => {
            let storage =
                STORAGES.iter().find(|(known, _)| *known == name).map(|(_, dtype)| Node::Global(Global::Storage(*dtype)));
            storage.or_else(|| (module == "torch" && DTYPES.contains(&name)).then(|| Node::Text(format!("torch.{name}"))))
        }
        _ if module == "__torch__" || module.starts_with("__torch__.") => Some(Node::Global(Global::Module)),
        _ => None,
    }
}
