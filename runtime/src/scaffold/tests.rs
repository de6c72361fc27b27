use super::name::Names;
use super::*;

fn source() -> Source {
    Source::Version("0.1".into())
}

#[test]
fn every_kind_is_written_whole() {
    for kind in Kind::ALL {
        let into = tempfile::tempdir().expect("a temporary folder");
        let folder = new_plugin(kind, "my-part", into.path(), &source()).expect("a new crate");
        for file in ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs", "tests/conformance.rs"] {
            let text = fs::read_to_string(folder.join(file)).expect("a file of the crate");
            assert!(!text.contains("{{") && text.ends_with('\n'), "{kind} {file}: {text}");
        }
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest").parse().expect("TOML");
        assert_eq!(manifest["dependencies"]["larp-traits"].as_str(), Some("0.1"));
        assert_eq!(fs::read_dir(into.path()).expect("a folder").count(), 1, "nothing but the crate is left");
    }
}

#[test]
fn a_name_has_three_spellings() {
    let names = Names::new(Kind::Quantizer, "my-vq2").expect("a name");
    assert_eq!((names.ident.as_str(), names.type_name.as_str()), ("my_vq2", "MyVq2Quantizer"));
    let names = Names::new(Kind::Quantizer, "my-quantizer").expect("a name");
    assert_eq!(names.type_name, "MyQuantizer");
}

#[test]
fn names_that_are_no_crate_are_refused() {
    for name in
        ["", "Vq", "2d", "a_b", "a--b", "a-", "-a", "../a", "größe", "type", "self", "serde", "quantizer", "dyn-quantizer"]
    {
        let error = Names::new(Kind::Quantizer, name).expect_err(name);
        assert!(error.to_string().starts_with(&format!("`{name}` cannot be the name")), "{error}");
    }
}

#[test]
fn a_folder_that_exists_is_left_alone() {
    let into = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(into.path().join("my-vq")).expect("a folder");
    fs::write(into.path().join("my-vq/notes"), "mine").expect("a file");
    let error = new_plugin(Kind::Quantizer, "my-vq", into.path(), &source()).expect_err("it is there");
    assert!(matches!(error, ScaffoldError::Exists { .. }), "{error}");
    assert_eq!(fs::read_dir(into.path().join("my-vq")).expect("the folder").count(), 1);
}

#[test]
fn a_path_without_a_checkout_is_refused() {
    let into = tempfile::tempdir().expect("a temporary folder");
    let error = new_plugin(Kind::Prior, "my-prior", into.path(), &Source::Path(into.path().into())).expect_err("no checkout");
    assert!(matches!(error, ScaffoldError::NoCheckout { .. }), "{error}");
    assert_eq!(fs::read_dir(into.path()).expect("the folder").count(), 0);
}

#[test]
fn within_a_checkout_the_checkout_is_the_source() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(Some(Source::nearest(here)), here.parent().map(|root| Source::Path(root.into())));
    assert_eq!(Source::nearest(Path::new("/")), Source::Version(env!("CARGO_PKG_VERSION").into()));
}
