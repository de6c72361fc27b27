use std::fs;
use std::path::{Path, PathBuf};

use rand::RngExt;
use rstest::rstest;
use serde_json::json;

use super::*;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/weights").join(name)
}

fn values(weights: &Weights, name: &str) -> (Vec<usize>, Vec<f32>) {
    let tensor = weights.tensors.get(name).unwrap_or_else(|| panic!("no `{name}` among {:?}", weights.tensors.keys()));
    (tensor.shape.clone(), tensor.f32().unwrap())
}

#[rstest]
#[case("checkpoint.pth")]
#[case("checkpoint_legacy.pth")]
#[case("protocol4.pth")]
fn a_released_checkpoint_gives_its_tensors_by_their_way_and_its_settings(#[case] name: &str) {
    let weights = read(&file(name)).unwrap();
    let names: Vec<_> = weights.tensors.keys().collect();
    let expected = ["model.ema_sd.0.9999.bias", "model.ema_sd.0.9999.weight", "model.sd.bias", "model.sd.weight"];
    assert_eq!(names, expected);
    assert_eq!(values(&weights, "model.sd.weight"), (vec![2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(values(&weights, "model.ema_sd.0.9999.bias"), (vec![2], vec![0.0, 0.5]));
    assert_eq!(weights.below("model.sd.").into_keys().collect::<Vec<_>>(), ["bias", "weight"]);
    let args = json!({
        "depth": 2, "rate": 0.5, "eps": 1e-5, "prior": null, "learned": true, "sizes": [1, 2], "nested": {"name": "svq", "seed": -70000}
    });
    let model = json!({"name": "linear", "args": args, "sd": {}, "ema_sd": {"0.9999": {}}});
    let all = json!({
        "model": model, "epoch": 300, "big": 1u64 << 40, "shape": [2, 3], "dtype": "torch.bfloat16", "best": "inf"
    });
    assert_eq!(weights.values, all);
}

#[rstest]
#[case("types.pth")]
#[case("types_legacy.pth")]
#[case("types.safetensors")]
fn every_number_type_becomes_32_bit_floats(#[case] name: &str) {
    let weights = read(&file(name)).unwrap();
    assert_eq!(weights.tensors.len(), 10);
    for (name, tensor) in &weights.tensors {
        let last = if name == "bool" { [1.0, 1.0] } else { [2.0, 100.0] };
        assert_eq!(tensor.f32().unwrap(), [0.0, 1.0, last[0], last[1]], "{name}");
    }
    assert_eq!(weights.tensors["bfloat16"].dtype, Dtype::BF16);
}

#[rstest]
#[case("views.pth")]
#[case("views_legacy.pth")]
fn views_of_one_storage_give_their_own_values(#[case] name: &str) {
    let weights = read(&file(name)).unwrap();
    let transposed = vec![0.0, 4.0, 8.0, 1.0, 5.0, 9.0, 2.0, 6.0, 10.0, 3.0, 7.0, 11.0];
    assert_eq!(values(&weights, "whole"), (vec![3, 4], (0..12).map(|value| value as f32).collect()));
    assert_eq!(values(&weights, "transposed"), (vec![4, 3], transposed));
    assert_eq!(values(&weights, "slice"), (vec![2, 2], vec![5.0, 6.0, 9.0, 10.0]));
    assert_eq!(values(&weights, "expanded"), (vec![3, 2], vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0]));
    assert_eq!(values(&weights, "column"), (vec![3, 1], vec![2.0, 6.0, 10.0]));
    assert_eq!(values(&weights, "scalar"), (vec![], vec![7.5]));
    assert_eq!(values(&weights, "empty"), (vec![0, 4], vec![]));
    assert_eq!(values(&weights, "parameter"), (vec![2], vec![0.0, 1.0]));
    assert_eq!(values(&weights, "list.1.0"), (vec![2], vec![0.0, 1.0]));
    assert_eq!(weights.values["list"], json!([[5]]));
}

#[test]
fn a_torchscript_archive_gives_its_parameters() {
    let weights = read(&file("torchscript.pt")).unwrap();
    assert_eq!(values(&weights, "0.weight"), (vec![2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(weights.tensors.len(), 2);
}

#[rstest]
#[case("command.pth", "posix.system")]
#[case("command_legacy.pth", "posix.system")]
#[case("numpy.pth", "numpy._core.multiarray._reconstruct")]
#[case("whole_module.pth", "torch.nn.modules.linear.Linear")]
fn an_object_that_could_be_code_is_refused_by_its_name(#[case] name: &str, #[case] expected: &str) {
    match read(&file(name)) {
        Err(WeightsError::Forbidden { object, .. }) => assert_eq!(object, expected),
        other => panic!("{other:?}"),
    }
    assert!(!Path::new("run-by-the-pickle").exists());
}

#[test]
fn another_file_is_no_weight_file() {
    let error = read(&file("make.py")).unwrap_err().to_string();
    assert!(error.ends_with("make.py` is neither a safetensors file nor one that PyTorch's `torch.save` wrote"), "{error}");
    assert!(matches!(read(Path::new("/nowhere/at.all")), Err(WeightsError::Io { .. })));
}

/// Reads all of a file, as a user of it would.
fn read_all(path: &Path) -> Result<usize, WeightsError> {
    let weights = read(path)?;
    weights.tensors.values().map(|tensor| tensor.f32().map(|values| values.len())).sum()
}

const WHOLE: [&str; 8] = [
    "checkpoint.pth",
    "checkpoint_legacy.pth",
    "types.pth",
    "types_legacy.pth",
    "types.safetensors",
    "views.pth",
    "views_legacy.pth",
    "torchscript.pt",
];

#[test]
fn a_truncated_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("truncated");
    for name in WHOLE {
        let whole = fs::read(file(name)).unwrap();
        for length in (0..whole.len()).step_by(whole.len() / 97) {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read_all(&path).is_err(), "the first {length} bytes of `{name}`");
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped");
    let mut random = crate::Stream::new(7).rng();
    let (mut read, mut refused) = (0, 0);
    for name in WHOLE {
        let whole = fs::read(file(name)).unwrap();
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                bytes[random.random_range(0..whole.len())] ^= 1 << random.random_range(0..8);
            }
            fs::write(&path, &bytes).unwrap();
            match read_all(&path) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}

/// A legacy file whose objects are `pickle`.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    let machine = b"\x80\x02}U\x0dlittle_endian\x88s.";
    [magic.as_slice(), b"\x80\x02M\xe9\x03.", machine, pickle, b"\x80\x02]."].concat()
}

#[rstest]
#[case::a_list_in_itself(b"\x80\x02]q\x00h\x00a.".to_vec(), "nested too deeply or too often")]
#[case::a_list_named_2_to_the_60_times([b"\x80\x02N".to_vec(), b"2\x86".repeat(60), b".".to_vec()].concat(), "too deeply or too often")]
#[case::deep_nesting([b"\x80\x02)".to_vec(), b"\x85".repeat(3_000_000), b".".to_vec()].concat(), "nested too deeply or too often")]
#[case::more_objects_than_allowed([b"\x80\x02(".to_vec(), b"N".repeat(5 << 20), b"t.".to_vec()].concat(), "more than 4194304 objects")]
#[case::a_text_of_4_gigabytes(b"\x80\x02X\xff\xff\xff\xffshort.".to_vec(), "ends in the middle")]
#[case::an_opcode_that_makes_instances(b"\x80\x02(ios\nsystem\n.".to_vec(), "opcode 0x69")]
#[case::a_pop_of_nothing(b"\x80\x020.".to_vec(), "takes more objects than there are")]
fn a_hostile_pickle_is_refused_in_bounded_memory(#[case] pickle: Vec<u8>, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.pth");
    fs::write(&path, legacy(&pickle)).unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}
