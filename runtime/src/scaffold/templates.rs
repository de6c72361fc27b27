//! The files of a new crate.

use larp_traits::Kind;
use minijinja::{Environment, UndefinedBehavior, context};

use super::name::{Names, camel};
use super::source::Dependencies;

/// Paths and their templates; the component's own is that of its kind.
const FILES: [(&str, &str); 5] = [
    (".gitignore", "/target\n"),
    ("Cargo.toml", include_str!("templates/Cargo.toml.j2")),
    ("README.md", include_str!("templates/README.md.j2")),
    ("src/main.rs", include_str!("templates/main.rs.j2")),
    ("tests/conformance.rs", include_str!("templates/conformance.rs.j2")),
];

/// The component of a kind.
struct Start {
    template: &'static str,
    /// One line of help.
    summary: &'static str,
    /// Its default settings, one a line.
    defaults: &'static str,
    /// Settings for tests, laid over the defaults.
    small: &'static str,
}

fn start(kind: Kind) -> Start {
    match kind {
        Kind::Encoder => Start {
            template: include_str!("templates/encoder.rs.j2"),
            summary: "each patch of the clip through one linear layer",
            defaults: "patch = [2, 8, 8]\ndim = 64",
            small: "dim = 16",
        },
        Kind::Quantizer => Start {
            template: include_str!("templates/quantizer.rs.j2"),
            summary: "the nearest code of a learned codebook",
            defaults: "codebook_size = 1024\ncommitment = 0.25",
            small: "codebook_size = 32",
        },
        Kind::Decoder => Start {
            template: include_str!("templates/decoder.rs.j2"),
            summary: "each token through one linear layer to its patch",
            defaults: "patch = [2, 8, 8]\ndim = 64",
            small: "dim = 16",
        },
        Kind::Prior => Start {
            template: include_str!("templates/prior.rs.j2"),
            summary: "each embedding guessed from the one before",
            defaults: "temperature = 1.0",
            small: "",
        },
        Kind::Generator => Start {
            template: include_str!("templates/generator.rs.j2"),
            summary: "a table of which token follows which",
            defaults: "class_dropout = 0.1",
            small: "",
        },
        Kind::Critic => Start {
            template: include_str!("templates/critic.rs.j2"),
            summary: "each patch scored by a small network",
            defaults: "patch = [2, 8, 8]\ndim = 64",
            small: "dim = 16",
        },
        Kind::Perceptual => Start {
            template: include_str!("templates/perceptual.rs.j2"),
            summary: "differences of edges at several sizes",
            defaults: "scales = 3",
            small: "",
        },
        Kind::Features => Start {
            template: include_str!("templates/features.rs.j2"),
            summary: "the mean colour of each part of the clip",
            defaults: "parts = 2",
            small: "",
        },
    }
}

/// The files of the crate: path within it and text.
pub(super) fn render(kind: Kind, names: &Names, crates: &Dependencies) -> Vec<(&'static str, String)> {
    let start = start(kind);
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let values = context! {
        name => &names.package, crate => &names.ident, type => &names.type_name,
        kind => kind.name(), trait => camel(kind.name()),
        summary => start.summary, defaults => start.defaults, small => start.small,
        larp_traits => &crates.larp_traits, larp_cli => &crates.larp_cli,
    };
    let files = FILES.into_iter().chain([("src/lib.rs", start.template)]);
    // minijinja takes the last line's end away
    let text = |template| environment.render_str(template, &values).expect("a template of our own") + "\n";
    files.map(|(path, template)| (path, text(template))).collect()
}
