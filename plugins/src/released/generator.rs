//! The released generator.

use super::arguments::GeneratorArguments;
use super::keys::{KeyMap, Row, row};
use super::layout::Layout::{Linear, Ones, Same};

/// Their name, our path within the generator, the change of layout.
#[rustfmt::skip]
const TABLE: &[Row<GeneratorArguments>] = &[
    row("cls_embedding.embedding_table.weight", "classes.weight", Same).when(|a| !a.frame_prediction),
    row("tok_embeddings.weight", "tokens.weight", Same),
    row("abs_pe", "positions", Ones(&[0])),
    row("layers.{}.attention_norm.weight", "blocks.{}.attention_norm.gamma", Same),
    row("layers.{}.attention.wqkv.weight", "blocks.{}.qkv.weight", Linear),
    row("layers.{}.attention.wo.weight", "blocks.{}.proj.weight", Linear),
    row("layers.{}.ffn_norm.weight", "blocks.{}.ffn_norm.gamma", Same),
    row("layers.{}.feed_forward.w1.weight", "blocks.{}.gate.weight", Linear),
    row("layers.{}.feed_forward.w3.weight", "blocks.{}.up.weight", Linear),
    row("layers.{}.feed_forward.w2.weight", "blocks.{}.down.weight", Linear),
    row("norm.weight", "norm.gamma", Same),
    row("output.weight", "output.weight", Linear),
];

/// The names of a generator of these arguments.
pub fn keys(arguments: &GeneratorArguments) -> KeyMap {
    KeyMap::new(TABLE, arguments, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::super::{NamedTensor, ReleasedError};
    use super::*;

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        NamedTensor { name: name.into(), shape: shape.to_vec(), values: vec![0.5; shape.iter().product()] }
    }

    #[test]
    fn names_and_layouts_go_there_and_back() {
        let keys = keys(&GeneratorArguments::default());
        let released = tensor("layers.7.feed_forward.w2.weight", &[4, 6]);
        let ours = keys.import([released.clone()]).unwrap().remove(0);
        assert_eq!((ours.name.as_str(), ours.shape.as_slice()), ("blocks.7.down.weight", [6, 4].as_slice()));
        assert_eq!(keys.to_released(ours).unwrap(), released);
    }

    #[test]
    fn every_tensor_that_does_not_fit_is_reported() {
        let keys = keys(&GeneratorArguments::default());
        let tensors = [tensor("layers.0.rope", &[2]), tensor("norm.weight", &[4]), tensor("output.weight", &[2])];
        let error = keys.import(tensors).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected tensor `layers.0.rope`; `output.weight` has shape [2]; expected the layout Linear"
        );
    }

    #[test]
    fn frame_prediction_has_no_classes() {
        let keys = keys(&GeneratorArguments { frame_prediction: true, ..Default::default() });
        let error = keys.to_ours(tensor("cls_embedding.embedding_table.weight", &[8, 4])).unwrap_err();
        assert!(matches!(error, ReleasedError::Unknown { .. }), "{error}");
    }
}
