//! Numbers in mixed radix: one digit a dimension.

use larp_traits::SettingsError;

/// All codes are listed in memory; more than this is a mistake in the settings.
const LARGEST_VOCABULARY: usize = 1 << 20;

/// Number of levels of each dimension, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels(Vec<usize>);

impl Levels {
    /// Checks the levels: at least one dimension, each with 2 or more, and at most 2^20 codes in all.
    ///
    /// # Errors
    /// When they are not.
    pub fn new(levels: &[usize]) -> Result<Self, SettingsError> {
        let refuse = |expected: &str| Err(SettingsError::value("quantizer.levels", format!("{levels:?}"), expected));
        if levels.is_empty() || levels.iter().any(|level| *level < 2) {
            return refuse("expected one number a dimension, each at least 2");
        }
        match levels.iter().try_fold(1, |product: usize, level| product.checked_mul(*level)) {
            Some(codes) if codes <= LARGEST_VOCABULARY => Ok(Self(levels.to_vec())),
            _ => refuse("expected a product of at most 1048576 codes"),
        }
    }

    /// Number of dimensions.
    pub fn dims(&self) -> usize {
        self.0.len()
    }

    /// Number of codes.
    pub fn vocab_size(&self) -> usize {
        self.0.iter().product()
    }

    /// What one step of each digit adds to a token: 1, then the number of codes of the dimensions before.
    pub fn places(&self) -> Vec<usize> {
        self.0.iter().scan(1, |place, level| Some(std::mem::replace(place, *place * level))).collect()
    }

    /// A value for each dimension.
    pub fn map(&self, value: fn(usize) -> f32) -> Vec<f32> {
        self.0.iter().copied().map(value).collect()
    }

    /// All codes in the order of their tokens, row-major `[vocab, code_dim]`, within [-1, 1].
    pub fn codes(&self) -> Vec<f32> {
        let places = self.places();
        let digits = |token: usize| self.0.iter().zip(&places).map(move |(level, place)| (token / place % level, *level));
        let value = |(digit, level)| (digit as f32 - half_width(level)) / half_width(level);
        (0..self.vocab_size()).flat_map(|token| digits(token).map(value)).collect()
    }
}

/// The digit that stands for 0, and so what codes are divided by.
pub(crate) fn half_width(level: usize) -> f32 {
    (level / 2) as f32
}

/// Half the range of the squashing, a little wider than the levels, so that the outermost are reached.
pub(crate) fn half_range(level: usize) -> f32 {
    (level - 1) as f32 * 1.001 / 2.0
}

/// An even number of levels has none in the middle: its range is moved down by a half.
pub(crate) fn offset(level: usize) -> f32 {
    if level.is_multiple_of(2) { 0.5 } else { 0.0 }
}
