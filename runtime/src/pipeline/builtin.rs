//! The pipelines that come with the program.

const PIPELINES: [(&str, &str); 6] = [
    ("patchwise-tiny", include_str!("../../../pipelines/patchwise-tiny.toml")),
    ("larp-tiny", include_str!("../../../pipelines/larp-tiny.toml")),
    ("frame-prediction-tiny", include_str!("../../../pipelines/frame-prediction-tiny.toml")),
    ("larp-s", include_str!("../../../pipelines/larp-s.toml")),
    ("larp-b", include_str!("../../../pipelines/larp-b.toml")),
    ("larp-l", include_str!("../../../pipelines/larp-l.toml")),
];

/// The text of a built-in pipeline.
pub fn builtin(name: &str) -> Option<&'static str> {
    PIPELINES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Their names.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    PIPELINES.iter().map(|(name, _)| *name)
}
