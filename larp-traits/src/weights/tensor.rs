//! One tensor of a weight file.

use half::{bf16, f16};
use safetensors::Dtype;

use super::WeightsError;
use super::source::Source;

/// A tensor whose values still lie in the file.
#[derive(Debug, Clone)]
pub struct WeightTensor {
    /// Type of its values in the file.
    pub dtype: Dtype,
    /// Shape.
    pub shape: Vec<usize>,
    source: Source,
    /// Where the first value lies, in bytes.
    start: u64,
    /// Values between neighbours along each dimension.
    strides: Vec<usize>,
}

/// Where in the file the values lie, as PyTorch says it.
pub(super) struct Storage {
    pub dtype: Dtype,
    /// Its first byte.
    pub start: u64,
    /// Values that it holds.
    pub elements: u64,
}

impl WeightTensor {
    /// A view of a storage; checks that it stays inside.
    pub(super) fn view(
        source: &Source,
        storage: &Storage,
        offset: u64,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, WeightsError> {
        let size = bytes_of(storage.dtype);
        let fits = || -> Option<u64> {
            let count = count(&shape)?;
            if shape.len() != strides.len() {
                return None;
            }
            // a dimension repeated by a stride of 0 may hold more than its storage, but not more than a file this large could
            (u64::try_from(count).ok()?.checked_mul(size)? <= source.len).then_some(())?;
            let last = last_value(&shape, &strides)?;
            if count > 0 && offset.checked_add(last)? >= storage.elements {
                return None;
            }
            storage.start.checked_add(storage.elements.checked_mul(size)?).filter(|end| *end <= source.len)?;
            storage.start.checked_add(offset.checked_mul(size)?)
        };
        let outside =
            || source.malformed(format!("a tensor of shape {shape:?}, strides {strides:?} does not lie in its storage"));
        let start = fits().ok_or_else(outside)?;
        Ok(Self { dtype: storage.dtype, shape, source: source.clone(), start, strides })
    }

    /// Number of values.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The values in row-major order as 32-bit floats; those that need more are rounded.
    ///
    /// # Errors
    /// When the file cannot be read, or the values are complex or floats of 8 bits or fewer.
    pub fn f32(&self) -> Result<Vec<f32>, WeightsError> {
        macro_rules! read {
            ($type:ty) => {
                self.numbers(|bytes: [u8; size_of::<$type>()]| <$type>::from_le_bytes(bytes) as f32)
            };
        }
        match self.dtype {
            Dtype::F32 => self.numbers(f32::from_le_bytes),
            Dtype::F16 => self.numbers(|bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => self.numbers(|bytes| bf16::from_le_bytes(bytes).to_f32()),
            Dtype::BOOL => self.numbers(|[byte]: [u8; 1]| f32::from(byte != 0)),
            Dtype::F64 => read!(f64),
            Dtype::I8 => read!(i8),
            Dtype::I16 => read!(i16),
            Dtype::I32 => read!(i32),
            Dtype::I64 => read!(i64),
            Dtype::U8 => read!(u8),
            Dtype::U16 => read!(u16),
            Dtype::U32 => read!(u32),
            Dtype::U64 => read!(u64),
            dtype => Err(WeightsError::Dtype { path: self.source.path.to_path_buf(), dtype }),
        }
    }

    fn numbers<const N: usize>(&self, number: impl Fn([u8; N]) -> f32) -> Result<Vec<f32>, WeightsError> {
        if self.count() == 0 {
            return Ok(Vec::new());
        }
        let span = last_value(&self.shape, &self.strides).unwrap_or(0) + 1;
        let bytes = self.source.bytes(self.start, span * N as u64)?;
        let (values, _) = bytes.as_chunks::<N>();
        let gapless = row_major(&self.shape).into_iter().zip(&self.strides).zip(&self.shape);
        // the stride of a dimension of size 1 is never taken, and PyTorch leaves anything there
        if gapless.into_iter().all(|((expected, stride), size)| *size == 1 || expected == *stride) {
            return Ok(values.iter().copied().map(number).collect());
        }
        Ok(Indices::new(&self.shape, &self.strides).map(|index| number(values[index])).collect())
    }
}

pub(super) fn bytes_of(dtype: Dtype) -> u64 {
    dtype.bitsize().div_ceil(8) as u64
}

/// Strides of a tensor without gaps. Only meaningful where the number of values is known not to overflow.
pub(super) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size))
}

/// The distance of the last value from the first.
fn last_value(shape: &[usize], strides: &[usize]) -> Option<u64> {
    let along = |(size, stride): (&usize, &usize)| size.saturating_sub(1).checked_mul(*stride).map(|far| far as u64);
    shape.iter().zip(strides).map(along).try_fold(0u64, |sum, far| sum.checked_add(far?))
}

/// Places of the values in row-major order.
struct Indices<'a> {
    shape: &'a [usize],
    strides: &'a [usize],
    at: Vec<usize>,
    left: usize,
}

impl<'a> Indices<'a> {
    fn new(shape: &'a [usize], strides: &'a [usize]) -> Self {
        Self { shape, strides, at: vec![0; shape.len()], left: shape.iter().product() }
    }
}

impl Iterator for Indices<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let index = self.at.iter().zip(self.strides).map(|(at, stride)| at * stride).sum();
        for axis in (0..self.shape.len()).rev() {
            self.at[axis] += 1;
            if self.at[axis] < self.shape[axis] {
                break;
            }
            self.at[axis] = 0;
        }
        Some(index)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}
