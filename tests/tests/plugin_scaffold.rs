//! Plugin crates that `larp new` writes: they build and pass the conformance suite as they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use larp_runtime::scaffold::{Source, new_plugin};
use larp_traits::Kind;

fn checkout() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace above").to_owned()
}

/// The workspace's own target folder and lock file: nothing is resolved or built twice.
fn cargo_test(folder: &Path) {
    let checkout = checkout();
    std::fs::copy(checkout.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.join("target"), |target| checkout.join(target));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["test", "--release", "--offline"]).current_dir(folder);
    command.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true");
    let output = command.output().expect("cargo starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "cargo test failed\n{out}\n{err}");
    assert!(out.contains("gradients_reach_every_parameter ... ok"), "the conformance suite ran\n{out}");
}

fn scaffolded_crate_works(kind: Kind) {
    let into = tempfile::tempdir().expect("a temporary folder");
    let name = format!("scaffold-test-{kind}");
    let folder = new_plugin(kind, &name, into.path(), &Source::Path(checkout())).expect("a new crate");
    cargo_test(&folder);
}

// one test: cargo builds one crate after the other anyway, in one target folder
#[test]
fn a_new_crate_of_each_kind_passes_the_conformance_suite() {
    for kind in Kind::ALL {
        scaffolded_crate_works(kind);
    }
}
