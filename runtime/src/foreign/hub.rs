//! Models of the Hugging Face hub.

use std::path::PathBuf;

use hf_hub::api::sync::ApiBuilder;

use super::ImportError;

/// Whether a name has the form of a model there: `owner/name`.
pub(super) fn is_id(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
    name.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name) && ![".", ".."].contains(&owner))
}

/// Fetches files of a model, or finds them in the hub's cache (`HF_HOME`); gives where they are.
pub(super) fn fetch<const N: usize>(id: &str, files: [&str; N]) -> Result<Vec<PathBuf>, ImportError> {
    let fail = |file: &str, error| ImportError::Hub { id: id.into(), file: file.into(), source: Box::new(error) };
    let first = files.first().copied().unwrap_or_default();
    let hub = ApiBuilder::from_env().with_progress(false).build().map_err(|error| fail(first, error))?;
    let model = hub.model(id.into());
    files.into_iter().map(|file| model.get(file).map_err(|error| fail(file, error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_an_owner_and_a_name() {
        let ids = ["hywang66/LARP-L-long-AR", "a/b_c.d", "a", "a/b/c", "/b", "a/", "../b", "a b/c"].map(is_id);
        assert_eq!(ids, [true, true, false, false, false, false, false, false]);
    }
}
