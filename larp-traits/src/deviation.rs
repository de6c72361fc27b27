//! Where the paper and the code that its authors released do not agree.
//!
//! Whoever owns a setting on which they differ submits a [`Deviation`]; a pipeline's `preset` takes one side of all of them, and
//! `larp-cli inspect --preset-diff` lists the side that each is on.

/// One thing on which paper and released code differ, or which the paper leaves open.
#[derive(Debug)]
pub struct Deviation {
    /// Its number in the list of departures.
    pub item: u8,
    /// What it is about.
    pub title: &'static str,
    /// The key and value that a pipeline has to have for it to matter: `("prior.type", "continuous-ar")`; `*` is any value.
    pub when: Option<(&'static str, &'static str)>,
    /// The settings that decide it.
    pub settings: &'static [Sides],
}

/// A setting with its two values, as TOML.
#[derive(Debug)]
pub struct Sides {
    /// The dotted key in a pipeline file.
    pub key: &'static str,
    /// The paper's value. Where the paper leaves it open, that of the released code.
    pub paper: &'static str,
    /// The released code's value.
    pub released: &'static str,
}

inventory::collect!(Deviation);

/// All deviations of this program, by item.
pub fn deviations() -> Vec<&'static Deviation> {
    let mut all: Vec<_> = inventory::iter::<Deviation>.into_iter().collect();
    all.sort_by_key(|deviation| (deviation.item, deviation.when));
    all
}

/// Submits a deviation: `deviation!(6, "temperature of the prior", ("prior.type", "continuous-ar"), "prior.temperature": "0.03", "1.0")`,
/// the paper's value first; without the pair in brackets it matters to every pipeline.
#[macro_export]
macro_rules! deviation {
    ($item:literal, $title:literal, ($owner:literal, $value:literal), $($key:literal: $paper:literal, $released:literal);+ $(;)?) => {
        $crate::deviation!(@submit $item, $title, Some(($owner, $value)), $($key: $paper, $released);+);
    };
    ($item:literal, $title:literal, $($key:literal: $paper:literal, $released:literal);+ $(;)?) => {
        $crate::deviation!(@submit $item, $title, None, $($key: $paper, $released);+);
    };
    (@submit $item:literal, $title:literal, $when:expr, $($key:literal: $paper:literal, $released:literal);+) => {
        $crate::inventory::submit! {
            $crate::deviation::Deviation {
                item: $item,
                title: $title,
                when: $when,
                settings: &[$($crate::deviation::Sides { key: $key, paper: $paper, released: $released }),+],
            }
        }
    };
}
