//! The released layout, as import and export see it.

use larp_traits::foreign::{
    Checkpoint, ExportRequest, ExportedModel, ForeignError, ForeignModel, ForeignPart, Layout, Names, Sequence, TensorShape,
};
use larp_traits::{DecoderSettings, EncoderSettings, GeneratorSettings, PriorSettings, inventory};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::arguments::{GeneratorArguments, TokenizerArguments};
use super::keys::{KeyMap, Mapped};
use super::{NamedTensor, ReleasedError, generator, tokenizer, write};

inventory::submit! {
    Layout {
        name: "larp-released",
        summary: "what the authors of LARP published: `config.json` with `model.safetensors`, or a `.pth` of their trainers",
        find,
        recognises,
        read,
        write: export,
    }
}

/// The name under which their trainers make a tokenizer.
const TOKENIZER: &str = "larp_tokenizer";

/// released code: base_trainer.py, `save_checkpoint`.
fn find(values: &Value) -> Option<Checkpoint> {
    let model = values.get("model")?;
    model.get("args")?;
    let settings = json!({ "name": model.get("name")?, "args": model.get("args")? });
    recognises(&settings)?;
    let averages = model.get("ema_sd").and_then(Value::as_object);
    let averages = averages.into_iter().flat_map(Map::keys).map(|decay| (decay.clone(), format!("model.ema_sd.{decay}.")));
    Some(Checkpoint { settings, prefix: "model.sd.".into(), averages: averages.collect() })
}

/// `config.json` holds the arguments alone, a trainer's checkpoint `{name, args}`.
fn recognises(settings: &Value) -> Option<ForeignPart> {
    let (name, arguments) = name_and_arguments(settings);
    if name == Some(TOKENIZER) || arguments.get("bottleneck").is_some_and(Value::is_object) {
        return Some(ForeignPart::Tokenizer);
    }
    let generator = name.is_some_and(|name| name.starts_with("llama-abs-"))
        || (arguments.get("vocab_size").is_some() && arguments.get("cls_token_num").is_some());
    generator.then_some(ForeignPart::Generator)
}

fn name_and_arguments(settings: &Value) -> (Option<&str>, &Value) {
    match (settings.get("name").and_then(Value::as_str), settings.get("args")) {
        (Some(name), Some(arguments)) => (Some(name), arguments),
        // a config that was saved as the argument `config` of the model
        _ => (None, settings.get("config").filter(|inner| inner.is_object()).unwrap_or(settings)),
    }
}

fn read(settings: &Value, shapes: &[TensorShape]) -> Result<ForeignModel, ForeignError> {
    let (name, arguments) = name_and_arguments(settings);
    match recognises(settings) {
        Some(ForeignPart::Generator) => {
            let arguments = parse::<GeneratorArguments>(arguments)?;
            read_generator(&if let Some(name) = name { arguments.named(name) } else { arguments })
        }
        _ => read_tokenizer(&parse(arguments)?, shapes),
    }
}

fn parse<T: DeserializeOwned>(arguments: &Value) -> Result<T, ForeignError> {
    T::deserialize(arguments).map_err(|error| ForeignError::new(format!("its arguments: {error}")))
}

fn read_tokenizer(arguments: &TokenizerArguments, shapes: &[TensorShape]) -> Result<ForeignModel, ForeignError> {
    let shape = |tensor: &TensorShape| NamedTensor { name: tensor.name.clone(), shape: tensor.shape.clone(), values: Vec::new() };
    let parts = arguments.parts(&shapes.iter().map(shape).collect::<Vec<_>>())?;
    let video = parts.video;
    if video.channels != 3 {
        let (key, found) = ("in_channels", video.channels.to_string());
        return Err(ReleasedError::Argument { key, found, expected: "clips have 3 colours" }.into());
    }
    let encoder: Box<dyn EncoderSettings> = Box::new(parts.encoder);
    let decoder: Box<dyn DecoderSettings> = Box::new(parts.decoder);
    let mut sections = Map::new();
    sections.insert("clip".into(), json!({ "frames": video.frames, "height": video.height, "width": video.width }));
    sections.insert("encoder".into(), section(&encoder)?);
    sections.insert("bottleneck".into(), json!({ "code_dim": parts.code_dim }));
    sections.insert("quantizer".into(), section(&parts.quantizer)?);
    sections.insert("decoder".into(), section(&decoder)?);
    if let Some(prior) = parts.prior {
        let prior: Box<dyn PriorSettings> = Box::new(prior);
        sections.insert("prior".into(), section(&prior)?);
    }
    let names = Box::new(tokenizer::keys(arguments));
    Ok(ForeignModel { part: ForeignPart::Tokenizer, sections, sequence: None, names })
}

fn read_generator(arguments: &GeneratorArguments) -> Result<ForeignModel, ForeignError> {
    let parts = arguments.parts()?;
    let sequence = Sequence { tokens: parts.tokens, vocab_size: parts.vocab_size, classes: parts.classes };
    let mut settings = parts.generator;
    if settings.prefix_tokens == parts.tokens + 1 {
        settings.prefix_tokens = 0;
    }
    let settings: Box<dyn GeneratorSettings> = Box::new(settings);
    let sections = Map::from_iter([("generator".to_owned(), section(&settings)?)]);
    let names = Box::new(generator::keys(arguments));
    Ok(ForeignModel { part: ForeignPart::Generator, sections, sequence: Some(sequence), names })
}

pub(super) fn section(settings: &impl Serialize) -> Result<Value, ForeignError> {
    serde_json::to_value(settings).map_err(ForeignError::new)
}

/// The arguments are read again: what does not come back as it was has no equivalent there.
fn export(request: &ExportRequest<'_>) -> Result<ExportedModel, ForeignError> {
    let (settings, shapes) = match request.part {
        ForeignPart::Tokenizer => {
            let (arguments, shapes) = write::tokenizer(request.sections)?;
            (section(&arguments)?, shapes)
        }
        ForeignPart::Generator => (section(&write::generator(request.sections, request.sequence)?)?, Vec::new()),
    };
    let model = read(&settings, &shapes)?;
    let mut differences = Vec::new();
    for (key, ours) in &model.sections {
        write::differences(key, request.sections.get(key).unwrap_or(&Value::Null), ours, &mut differences);
    }
    if differences.is_empty() {
        return Ok(ExportedModel { settings, names: model.names });
    }
    Err(ForeignError::new(format!("there is no equivalent in the released code for {}", differences.join(", "))))
}

impl Names for KeyMap {
    fn to_ours(&self, tensor: NamedTensor) -> Result<Option<NamedTensor>, ForeignError> {
        Ok(match KeyMap::to_ours(self, tensor)? {
            Mapped::Parameter(tensor) => Some(tensor),
            Mapped::Fixed => None,
        })
    }

    fn to_theirs(&self, tensor: NamedTensor) -> Result<NamedTensor, ForeignError> {
        Ok(self.to_released(tensor)?)
    }

    fn computed(&self) -> Vec<NamedTensor> {
        self.fixed().collect()
    }

    fn knows(&self, name: &str) -> bool {
        KeyMap::knows(self, name)
    }
}

impl From<ReleasedError> for ForeignError {
    fn from(error: ReleasedError) -> Self {
        Self::new(error)
    }
}
