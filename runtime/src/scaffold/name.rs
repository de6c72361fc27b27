//! The names of a plugin: crate, identifier, type.

use larp_traits::Kind;

use super::ScaffoldError;

/// Names that Cargo or the generated code uses for something else.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "larp-cli",
    "larp-traits",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// The checked name in its spellings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// `my-vq`.
    pub package: String,
    /// `my_vq`.
    pub ident: String,
    /// `MyVqQuantizer`.
    pub type_name: String,
}

impl Names {
    /// Checks the name: words of lowercase letters and digits with single `-` between, the first character a letter.
    ///
    /// # Errors
    /// When it is not like that, or stands for something else.
    pub fn new(kind: Kind, name: &str) -> Result<Self, ScaffoldError> {
        let refuse = |reason| Err(ScaffoldError::Name { name: name.into(), reason });
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return refuse("it starts with a lowercase letter");
        }
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return refuse("it has only lowercase letters, digits and `-`");
        }
        if name.split('-').any(str::is_empty) {
            return refuse("each `-` stands between two words");
        }
        if name.len() > 64 {
            return refuse("it has at most 64 characters");
        }
        let dynamic = name.strip_prefix("dyn-").unwrap_or(name);
        if RESERVED.contains(&name) || Kind::ALL.iter().any(|kind| kind.name() == dynamic) {
            return refuse("that word means something else");
        }
        let (mut type_name, suffix) = (camel(name), camel(kind.name()));
        if !type_name.ends_with(&suffix) {
            type_name.push_str(&suffix);
        }
        Ok(Self { package: name.into(), ident: name.replace('-', "_"), type_name })
    }
}

/// `my-vq` as `MyVq`.
pub(super) fn camel(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').filter(|word| !word.is_empty()).map(capital).collect()
}
