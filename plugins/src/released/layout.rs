//! What changes between a PyTorch tensor and ours.

/// A change of layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// None.
    Same,
    /// A linear layer: `[outputs, inputs]` there, `[inputs, outputs]` here.
    Linear,
    /// A convolution over patches: `[outputs, channels, frames, height, width]` there, a linear layer `[values, outputs]` here.
    Kernel,
    /// Axes of length 1 at these places there, none here.
    Ones(&'static [usize]),
}

/// Shape and values, row-major.
pub(super) type Values = (Vec<usize>, Vec<f32>);

impl Layout {
    /// From theirs to ours; `None` when the shape does not have this layout.
    pub(super) fn to_ours(self, (shape, values): Values) -> Option<Values> {
        match self {
            Layout::Same => Some((shape, values)),
            Layout::Linear if shape.len() != 2 => None,
            Layout::Linear | Layout::Kernel => {
                let (outputs, rest) = shape.split_first()?;
                Some(transposed(*outputs, rest.iter().product(), &values))
            }
            Layout::Ones(axes) => {
                let ones = axes.iter().all(|&axis| shape.get(axis) == Some(&1));
                let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &length)| length).collect();
                ones.then_some((kept, values))
            }
        }
    }

    /// From ours to theirs; `kernel` is the shape of a patch there. `None` when the shape does not have this layout.
    pub(super) fn to_released(self, (mut shape, values): Values, kernel: &[usize]) -> Option<Values> {
        match (self, shape.as_slice()) {
            (Layout::Same, _) => Some((shape, values)),
            (Layout::Linear, &[inputs, outputs]) => Some(transposed(inputs, outputs, &values)),
            (Layout::Kernel, &[inputs, outputs]) if inputs == kernel.iter().product::<usize>() => {
                let (_, values) = transposed(inputs, outputs, &values);
                Some(([&[outputs], kernel].concat(), values))
            }
            (Layout::Ones(axes), _) => {
                for &axis in axes {
                    (axis <= shape.len()).then(|| shape.insert(axis, 1))?;
                }
                Some((shape, values))
            }
            (Layout::Linear | Layout::Kernel, _) => None,
        }
    }
}

fn transposed(rows: usize, columns: usize, values: &[f32]) -> Values {
    let turned = (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column]));
    (vec![columns, rows], turned.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(shape: &[usize]) -> Values {
        (shape.to_vec(), (0..shape.iter().product::<usize>()).map(|i| i as f32).collect())
    }

    #[test]
    fn a_linear_weight_is_transposed() {
        let ours = Layout::Linear.to_ours(numbers(&[2, 3])).unwrap();
        assert_eq!(ours, (vec![3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
    }

    #[test]
    fn every_layout_goes_there_and_back() {
        let cases: [(Layout, &[usize], &[usize]); 4] = [
            (Layout::Same, &[4], &[4]),
            (Layout::Linear, &[2, 3], &[3, 2]),
            (Layout::Kernel, &[5, 3, 2, 4, 4], &[96, 5]),
            (Layout::Ones(&[0, 2, 3]), &[1, 7, 1, 1, 6], &[7, 6]),
        ];
        for (layout, theirs, ours) in cases {
            let there = layout.to_ours(numbers(theirs)).unwrap();
            assert_eq!(there.0, ours);
            assert_eq!(layout.to_released(there, &[3, 2, 4, 4]).unwrap(), numbers(theirs));
        }
    }

    #[test]
    fn an_axis_that_is_not_one_is_refused() {
        assert_eq!(Layout::Ones(&[0]).to_ours(numbers(&[2, 3])), None);
        assert_eq!(Layout::Linear.to_ours(numbers(&[2])), None);
        assert_eq!(Layout::Kernel.to_released(numbers(&[7, 2]), &[3, 2, 4, 4]), None);
    }
}
