//! The ablations that come with the program.

const ABLATIONS: [(&str, &str); 9] = [
    ("table2", include_str!("../../../pipelines/ablations/table2.toml")),
    ("table2-mini", include_str!("../../../pipelines/ablations/table2-mini.toml")),
    ("prior-settings-mini", include_str!("../../../pipelines/ablations/prior-settings-mini.toml")),
    ("tokens", include_str!("../../../pipelines/ablations/tokens.toml")),
    ("tokens-mini", include_str!("../../../pipelines/ablations/tokens-mini.toml")),
    ("size", include_str!("../../../pipelines/ablations/size.toml")),
    ("size-mini", include_str!("../../../pipelines/ablations/size-mini.toml")),
    ("holistic-vs-patchwise", include_str!("../../../pipelines/ablations/holistic-vs-patchwise.toml")),
    ("holistic-vs-patchwise-mini", include_str!("../../../pipelines/ablations/holistic-vs-patchwise-mini.toml")),
];

/// The text of a built-in ablation.
pub fn ablation(name: &str) -> Option<&'static str> {
    ABLATIONS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Their names.
pub fn ablation_names() -> impl Iterator<Item = &'static str> {
    ABLATIONS.iter().map(|(name, _)| *name)
}
