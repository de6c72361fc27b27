//! Sizes that the released code knows by name.

use super::{NamedTensor, ReleasedError};

/// Sizes of a prior or a generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of blocks.
    pub depth: usize,
    /// Number of heads.
    pub heads: usize,
    /// Width.
    pub dim: usize,
}

const fn size(depth: usize, heads: usize, dim: usize) -> Size {
    Size { depth, heads, dim }
}

const PRIORS: &[(&str, Size)] = &[
    ("gptc-XXS", size(6, 4, 256)),
    ("gptc-XS", size(6, 6, 384)),
    ("gptc-S", size(12, 6, 384)),
    ("gptc-M", size(12, 8, 512)),
    ("gptc-B", size(12, 12, 768)),
    ("gptc-L", size(24, 16, 1024)),
];

const GENERATORS: &[(&str, Size)] = &[
    ("llama-abs-S", size(12, 6, 384)),
    ("llama-abs-B", size(12, 12, 768)),
    ("llama-abs-L", size(24, 16, 1024)),
    ("llama-abs-LP", size(30, 20, 1280)),
    ("llama-abs-XL", size(36, 20, 1280)),
    ("llama-abs-XXL", size(48, 24, 1536)),
    ("llama-abs-XXXL", size(48, 40, 2560)),
];

/// The size of a named generator.
pub fn generator(name: &str) -> Option<Size> {
    named(GENERATORS, name)
}

/// The size of a prior: by its name, or for another name by its tensors.
///
/// # Errors
/// When neither tells.
pub fn prior(name: &str, tensors: &[NamedTensor]) -> Result<Size, ReleasedError> {
    let expected = "expected gptc-XXS, XS, S, M, B or L, or a checkpoint with its tensors";
    let unknown = || ReleasedError::Argument { key: "prior_model.name", found: format!("`{name}`"), expected };
    named(PRIORS, name).or_else(|| of_tensors(tensors)).ok_or_else(unknown)
}

/// The name of a prior of this size; the released code knows no others by name.
pub(super) fn prior_name(size: Size) -> Option<&'static str> {
    PRIORS.iter().find(|(_, known)| *known == size).map(|(name, _)| *name)
}

fn named(table: &[(&str, Size)], name: &str) -> Option<Size> {
    table.iter().find(|(known, _)| *known == name).map(|(_, size)| *size)
}

fn of_tensors(tensors: &[NamedTensor]) -> Option<Size> {
    let dim = *tensors.iter().find(|tensor| tensor.name == "prior_model.pos_emb")?.shape.last()?;
    let depth =
        tensors.iter().filter(|tensor| tensor.name.starts_with("prior_model.blocks.") && tensor.name.ends_with(".ln1.weight"));
    Some(Size { depth: depth.count(), heads: heads(dim)?, dim })
}

/// 64 values a head, as in every named prior, and at least 4 heads, the fewest there. A tensor does not show its number of heads;
/// of the parity files' `gptc-tiny` (width 24) this rule gives the 4 that reproduce its numbers.
fn heads(dim: usize) -> Option<usize> {
    let heads = (dim / 64).max(4);
    dim.is_multiple_of(heads).then_some(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        NamedTensor { name: name.into(), shape: shape.to_vec(), values: Vec::new() }
    }

    #[test]
    fn the_rule_for_heads_fits_every_named_prior() {
        for (name, size) in PRIORS {
            assert_eq!(heads(size.dim), Some(size.heads), "{name}");
        }
    }

    #[test]
    fn tensors_tell_the_size_of_a_prior_without_a_known_name() {
        let tensors = [
            tensor("prior_model.pos_emb", &[1, 24, 24]),
            tensor("prior_model.blocks.0.ln1.weight", &[24]),
            tensor("prior_model.blocks.1.ln1.weight", &[24]),
        ];
        assert_eq!(prior("gptc-tiny", &tensors), Ok(Size { depth: 2, heads: 4, dim: 24 }));
        assert_eq!(prior("gptc-XS", &tensors), Ok(Size { depth: 6, heads: 6, dim: 384 }));
    }

    #[test]
    fn an_unknown_prior_without_tensors_is_refused() {
        let error = prior("gptc-huge", &[]).unwrap_err();
        assert!(
            error.to_string().starts_with("released argument `prior_model.name` is `gptc-huge`; expected gptc-XXS"),
            "{error}"
        );
    }
}
