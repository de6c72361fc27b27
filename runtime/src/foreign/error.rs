//! Why a checkpoint of another program was not imported or exported.

use std::path::PathBuf;

use larp_traits::foreign::ForeignError;
use larp_traits::weights::WeightsError;

use crate::report::Stage;

/// A checkpoint of another program that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Neither a folder nor a file nor the id of a model.
    #[error("there is no folder or file `{name}`, and it is no `owner/name` of the Hugging Face hub")]
    NotFound {
        /// What was named.
        name: String,
    },
    /// A folder without weights.
    #[error("`{}` holds none of {}", path.display(), expected.map(|name| format!("`{name}`")).join(", "))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The files of which one is needed.
        expected: [&'static str; 2],
    },
    /// The file of weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The hub could not be reached, or does not have the file.
    #[error(
        "cannot fetch `{file}` of `{id}` from the Hugging Face hub; without a network, copy its `config.json` and `model.safetensors` into \
         a folder and import the folder"
    )]
    Hub {
        /// The model.
        id: String,
        /// The file.
        file: String,
        /// What went wrong.
        #[source]
        source: Box<hf_hub::api::sync::ApiError>,
    },
    /// Settings that are not JSON.
    #[error("`{}` is no JSON file", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Settings of no known program.
    #[error("the settings of `{source_name}` are of no known layout; known: {}", known.join(", "))]
    UnknownLayout {
        /// What was named.
        source_name: String,
        /// The layouts of this program.
        known: Vec<&'static str>,
    },
    /// Weights without settings.
    #[error("`{source_name}` says nothing of its model; name the pipeline that fits it by `--pipeline`")]
    NoSettings {
        /// What was named.
        source_name: String,
    },
    /// A pipeline for weights that bring their own settings.
    #[error("`{source_name}` brings its own settings; leave `--pipeline` out")]
    TwoSettings {
        /// What was named.
        source_name: String,
    },
    /// Weights that no model of the pipeline has.
    #[error(
        "none of the tensors of `{source_name}` belongs to a model of the pipeline `{pipeline}`{}",
        reasons_in_words(reasons)
    )]
    NoModel {
        /// What was named.
        source_name: String,
        /// The pipeline's name.
        pipeline: String,
        /// Why its models have no equivalent in a known layout.
        reasons: Vec<String>,
    },
    /// Settings that have no equivalent.
    #[error("`{source_name}` cannot be used: {source}")]
    Settings {
        /// What was named.
        source_name: String,
        /// Why.
        source: ForeignError,
    },
    /// Averages that are not there, or of which one must be chosen.
    #[error("`{source_name}` has {}; {advice}", averages_in_words(known))]
    Average {
        /// What was named.
        source_name: String,
        /// The decays of those that are there.
        known: Vec<String>,
        /// What to do.
        advice: &'static str,
    },
    /// Tensors that do not fit: all of them.
    #[error("the tensors of `{source_name}` do not fit its settings: {}", problems.join("; "))]
    Tensors {
        /// What was named.
        source_name: String,
        /// Each that is missing, unexpected or of another shape.
        problems: Vec<String>,
    },
    /// Two sources of one stage.
    #[error("both `{first}` and `{second}` are a {stage}; name one of each")]
    Twice {
        /// The first.
        first: String,
        /// The second.
        second: String,
        /// What both are.
        stage: Stage,
    },
    /// A generator alone.
    #[error(
        "`{source_name}` is a generator, which needs its tokenizer; name the tokenizer beside it, or a run folder that holds the tokenizer"
    )]
    NoTokenizer {
        /// What was named.
        source_name: String,
    },
    /// A generator of other tokens or classes.
    #[error("the generator of `{source_name}` does not fit: it has {found} {what}, and {other} has {expected}")]
    Misfit {
        /// What was named.
        source_name: String,
        /// `tokens`, `codes` or `classes`.
        what: &'static str,
        /// Of the generator.
        found: usize,
        /// The other side.
        other: &'static str,
        /// Of the other side.
        expected: usize,
    },
    /// A run that no layout can write.
    #[error("the {stage} of the pipeline `{pipeline}` cannot be exported: {}", reasons.join("; "))]
    NoLayout {
        /// Which model.
        stage: Stage,
        /// The pipeline's name.
        pipeline: String,
        /// Why, for each layout.
        reasons: Vec<String>,
    },
}

fn averages_in_words(known: &[String]) -> String {
    match known {
        [] => "no averages of its parameters".into(),
        known => format!("averages with the decays {}", known.join(", ")),
    }
}

fn reasons_in_words(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}
