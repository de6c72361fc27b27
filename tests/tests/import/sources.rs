//! Parity cases as the files that their authors publish.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use larp_plugins::released::NamedTensor;
use larp_runtime::foreign::{Average, ImportRequest, Imported, import};
use larp_runtime::{RuntimeError, train::TrainRequest};
use safetensors::{Dtype, SafeTensors, View};
use serde_json::{Value, json};

use crate::case::{Case, folder};
use crate::common::{device, larp_tiny};
use crate::legacy_pth::{Object, file};

/// A case by its name.
pub fn case(name: &str) -> Case {
    let cases = Case::load_all(&folder()).unwrap_or_else(|problem| panic!("{problem}"));
    cases.into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case `{name}`"))
}

/// `config.json` and `model.safetensors`, as the hub has them; gives the folder.
pub fn folder_of(case: &Case, path: &Path) -> PathBuf {
    write_folder(path, Some(&case.info["model"]), &case.floats("state."))
}

/// The same of any tensors.
pub fn write_folder(path: &Path, config: Option<&Value>, tensors: &[NamedTensor]) -> PathBuf {
    fs::create_dir_all(path).expect("a folder");
    if let Some(config) = config {
        fs::write(path.join("config.json"), config.to_string()).expect("written");
    }
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), Floats(tensor)));
    safetensors::serialize_to_file(views, None, &path.join("model.safetensors")).expect("written");
    path.into()
}

struct Floats<'a>(&'a NamedTensor);

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.0.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.0.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
    }
    fn data_len(&self) -> usize {
        self.0.values.len() * 4
    }
}

/// A generator case in such a folder. The frame-prediction case is conditioned on 8 tokens, which no pipeline can be: here it gets the
/// tokens of a whole clip, and position codes for them, repeated.
pub fn generator_folder(case: &Case, path: &Path) -> PathBuf {
    let (config, tensors) = generator_parts(case);
    write_folder(path, Some(&config), &tensors)
}

/// Settings and tensors of [`generator_folder`].
pub fn generator_parts(case: &Case) -> (Value, Vec<NamedTensor>) {
    let (mut config, mut tensors) = (case.info["model"].clone(), case.floats("state."));
    if config["frame_prediction"] == json!(true) {
        let tokens = config["max_seq_len"].as_u64().expect("a number") as usize;
        config["cls_token_num"] = json!(tokens + 1);
        let positions = tensors.iter_mut().find(|tensor| tensor.name == "abs_pe").expect("position codes");
        let count = 2 * tokens * positions.shape[2];
        positions.values = positions.values.iter().copied().cycle().take(count).collect();
        positions.shape[1] = 2 * tokens;
    }
    (config, tensors)
}

/// A `.pth` as the trainers write it: the parameters are `off` by a factor, the average of decay 0.999 are those of the case.
pub fn pth_of(case: &Case, model: &str, off: f32, path: &Path) -> PathBuf {
    let average = case.floats("state.");
    // fixed codes are never trained
    let is_fixed = |name: &str| ["encoder_patch_pe", "decoder_latent_pe", "decoder_patch_query_embed"].contains(&name);
    let parameters: Vec<NamedTensor> = average.iter().cloned().map(|tensor| scaled(tensor, off, is_fixed)).collect();
    let dict = |tensors: &'static [NamedTensor]| {
        Object::Dict(tensors.iter().map(|tensor| (Object::Text(&tensor.name), Object::Tensor(tensor))).collect())
    };
    let (parameters, average): (&'static [_], &'static [_]) = (parameters.leak(), average.leak());
    let averages = Object::Dict(vec![(Object::Number(0.999), dict(average))]);
    let epoch = json!(75);
    let model = Object::Dict(vec![
        (Object::Text("name"), Object::Text(model)),
        (Object::Text("args"), Object::Plain(&case.info["model"])),
        (Object::Text("sd"), dict(parameters)),
        (Object::Text("ema_sd"), averages),
    ]);
    let root = Object::Dict(vec![(Object::Text("model"), model), (Object::Text("epoch"), Object::Plain(&epoch))]);
    fs::write(path, file(&root)).expect("written");
    path.into()
}

fn scaled(mut tensor: NamedTensor, off: f32, is_fixed: impl Fn(&str) -> bool) -> NamedTensor {
    if !is_fixed(&tensor.name) {
        tensor.values.iter_mut().for_each(|value| *value *= off);
    }
    tensor
}

/// Imports sources into `run`.
pub fn take_over(sources: &[&Path], run: &Path, average: Option<Average>) -> Result<Vec<Imported>, RuntimeError> {
    let sources = sources.iter().map(|path| path.display().to_string()).collect();
    import(&ImportRequest { sources, pipeline: None, average, classes: Vec::new(), run: run.into() })
}

/// A run whose tokenizer has as many tokens and codes as a generator case expects, not trained at all.
pub fn tokenizer_for(case: &Case, run: &Path) {
    let number = |key: &str| case.info["model"][key].as_u64().expect("a number");
    let tokens = format!("encoder.tokens={}", number("max_seq_len"));
    let codes = format!("quantizer.codebook_size={}", number("vocab_size"));
    let set = [
        "train.tokenizer.steps=0",
        "encoder.patch_embedding.centred=false",
        "bottleneck.norm=none",
        "prior.type=none",
        "quantizer.entropy_weight=0.0",
        &tokens,
        &codes,
    ];
    let (pipeline, stage) = (larp_tiny(&set), larp_runtime::train::StageChoice::Tokenizer);
    let request = TrainRequest {
        pipeline,
        run: run.into(),
        stage,
        device: device(),
        resume: false,
        allow_changes: false,
        interrupted: std::sync::Arc::default(),
    };
    struct Quiet;
    impl larp_runtime::train::Observer for Quiet {
        fn event(&mut self, _: &larp_runtime::train::Event) {}
    }
    larp_runtime::train::run(request, &mut Quiet).expect("it starts");
}

/// Every tensor of a safetensors file: shape and bytes.
pub fn tensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    file.iter().map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), view.data().to_vec()))).collect()
}
