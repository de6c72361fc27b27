//! The names of a released model and ours.

use super::layout::Layout;
use super::{NamedTensor, ReleasedError};

/// Largest difference between their fixed position codes and ours: both are computed in float64 and rounded to float32.
const CODES_TOLERANCE: f32 = 1e-6;

/// A line of a table; `{}` in both names stands for the number of a block. `A` is the model's arguments.
pub(super) struct Row<A: 'static> {
    released: &'static str,
    place: Place<A>,
    when: fn(&A) -> bool,
}

enum Place<A: 'static> {
    Parameter(&'static str, Layout),
    Fixed(fn(&A) -> Codes),
}

/// Position codes that ours computes and theirs saves.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// A parameter.
pub(super) const fn row<A>(released: &'static str, ours: &'static str, layout: Layout) -> Row<A> {
    Row { released, place: Place::Parameter(ours, layout), when: |_| true }
}

/// Fixed codes: compared, not loaded.
pub(super) const fn fixed<A>(released: &'static str, codes: fn(&A) -> Codes) -> Row<A> {
    Row { released, place: Place::Fixed(codes), when: |_| true }
}

impl<A> Row<A> {
    /// There only in models of such arguments.
    pub(super) const fn when(self, when: fn(&A) -> bool) -> Self {
        Row { released: self.released, place: self.place, when }
    }
}

/// The names of one model.
#[derive(Debug, Clone)]
pub struct KeyMap {
    entries: Vec<Entry>,
    kernel: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Entry {
    released: &'static str,
    target: Target,
}

#[derive(Debug, Clone)]
enum Target {
    Parameter(&'static str, Layout),
    Fixed(Codes),
}

/// What a released tensor is here.
#[derive(Debug, Clone, PartialEq)]
pub enum Mapped {
    /// A parameter, under our path and in our layout.
    Parameter(NamedTensor),
    /// Fixed position codes, equal to those which we compute.
    Fixed,
}

impl KeyMap {
    /// The rows of a table that a model of these arguments has; `kernel` is the shape of a patch there.
    pub(super) fn new<A>(table: &[Row<A>], arguments: &A, kernel: Vec<usize>) -> Self {
        let present = table.iter().filter(|row| (row.when)(arguments));
        let entries = present.map(|row| {
            let target = match &row.place {
                Place::Parameter(ours, layout) => Target::Parameter(ours, *layout),
                Place::Fixed(codes) => Target::Fixed(codes(arguments)),
            };
            Entry { released: row.released, target }
        });
        Self { entries: entries.collect(), kernel }
    }

    /// A released tensor under our path and in our layout.
    ///
    /// # Errors
    /// When such a model has no tensor of this name or shape, or fixed codes differ from ours.
    pub fn to_ours(&self, tensor: NamedTensor) -> Result<Mapped, ReleasedError> {
        let NamedTensor { name, shape, values } = tensor;
        let found = self.entries.iter().find_map(|entry| Some((&entry.target, number(entry.released, &name)?)));
        match found {
            None => Err(ReleasedError::Unknown { name }),
            Some((Target::Fixed(codes), _)) => compare(name, &shape, &values, codes),
            Some((Target::Parameter(ours, layout), number)) => match layout.to_ours((shape.clone(), values)) {
                Some((shape, values)) => Ok(Mapped::Parameter(NamedTensor { name: ours.replace("{}", number), shape, values })),
                None => Err(ReleasedError::Shape { name, found: shape, expected: format!("the layout {layout:?}") }),
            },
        }
    }

    /// A parameter of ours, or its gradient, under the released name and in that layout.
    ///
    /// # Errors
    /// When such a model has no parameter of this path or shape.
    pub fn to_released(&self, tensor: NamedTensor) -> Result<NamedTensor, ReleasedError> {
        let NamedTensor { name, shape, values } = tensor;
        let found = self.entries.iter().find_map(|entry| match entry.target {
            Target::Parameter(ours, layout) => Some((entry.released, layout, number(ours, &name)?)),
            Target::Fixed(_) => None,
        });
        let Some((released, layout, number)) = found else {
            return Err(ReleasedError::Unknown { name });
        };
        match layout.to_released((shape.clone(), values), &self.kernel) {
            Some((shape, values)) => Ok(NamedTensor { name: released.replace("{}", number), shape, values }),
            None => Err(ReleasedError::Shape { name, found: shape, expected: format!("the layout {layout:?}") }),
        }
    }

    /// Whether such a model has a tensor of this released name.
    pub fn knows(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| number(entry.released, name).is_some())
    }

    /// The fixed codes that a released checkpoint holds beside the parameters.
    pub fn fixed(&self) -> impl Iterator<Item = NamedTensor> {
        self.entries.iter().filter_map(|entry| match &entry.target {
            Target::Fixed(Codes { shape, values }) => {
                Some(NamedTensor { name: entry.released.into(), shape: shape.clone(), values: values.clone() })
            }
            Target::Parameter(..) => None,
        })
    }

    /// The parameters of a whole checkpoint.
    ///
    /// # Errors
    /// All the tensors that do not fit.
    pub fn import(&self, tensors: impl IntoIterator<Item = NamedTensor>) -> Result<Vec<NamedTensor>, ReleasedError> {
        let (mut parameters, mut problems) = (Vec::new(), Vec::new());
        for tensor in tensors {
            match self.to_ours(tensor) {
                Ok(Mapped::Parameter(parameter)) => parameters.push(parameter),
                Ok(Mapped::Fixed) => {}
                Err(problem) => problems.push(problem),
            }
        }
        ReleasedError::unless_empty(problems).map(|()| parameters)
    }
}

/// What stands for `{}` in a name of this pattern; empty in a pattern without.
fn number<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let Some((before, after)) = pattern.split_once("{}") else {
        return (pattern == name).then_some("");
    };
    let number = name.strip_prefix(before)?.strip_suffix(after)?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

fn compare(name: String, shape: &[usize], values: &[f32], codes: &Codes) -> Result<Mapped, ReleasedError> {
    if shape != codes.shape {
        return Err(ReleasedError::Shape { name, found: shape.to_vec(), expected: format!("{:?}", codes.shape) });
    }
    let difference = values.iter().zip(&codes.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    if difference > CODES_TOLERANCE {
        return Err(ReleasedError::Codes { name, difference });
    }
    Ok(Mapped::Fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_the_number_of_a_block_and_nothing_else() {
        assert_eq!(number("blocks.{}.bias", "blocks.12.bias"), Some("12"));
        assert_eq!(number("blocks.{}.bias", "blocks.x.bias"), None);
        assert_eq!(number("blocks.{}.bias", "blocks..bias"), None);
        assert_eq!(number("bias", "bias"), Some(""));
        assert_eq!(number("bias", "bias.0"), None);
    }
}
