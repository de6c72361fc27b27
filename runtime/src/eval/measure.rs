//! Measures the clips of one shard.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use larp_traits::burn::tensor::module::interpolate;
use larp_traits::burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use larp_traits::published::{PublishedFile, check_all, sha256};
use larp_traits::tensor::{ints_to_host, to_host};
use larp_traits::{
    BuildContext, ConditionKind, Draw, DynFeatures, DynGenerator, DynPerceptual, FrameCondition, SettingsError, Stream, Tensor,
};
use sha2::{Digest, Sha256};

use super::card::{Card, CheckpointCard, FeatureCard, SamplingCard};
use super::metric::Metric;
use super::protocol::{ClassChoice, PictureSize, Protocol, WindowChoice};
use super::set::FeatureSet;
use super::shard::{ClipEntry, Shard};
use super::ssim::{WINDOW, ssim};
use crate::RuntimeError;
use crate::analyze::OnProgress;
use crate::convert::to_tensor;
use crate::data::{DataError, DataSettings, Dataset, Sample, Window};
use crate::evaluate::clip_errors;
use crate::pipeline::PipelineError;
use crate::predict::Predictor;
use crate::report::Stage;
use crate::use_run::{TrainedRun, generate_tokens};

/// One of several processes that share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardChoice {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl ShardChoice {
    /// All the work.
    pub const WHOLE: Self = Self { index: 1, of: 1 };
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct EvalRequest {
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// On which clips, and how.
    pub protocol: Protocol,
    /// What was changed over the protocol of that name.
    pub changes: Vec<String>,
    /// Other data than the run's own.
    pub data: Option<DataSettings>,
    /// Which part of the work.
    pub shard: ShardChoice,
    /// Name of the device, for the card.
    pub device: String,
}

/// The networks that the metrics need.
struct Networks {
    perceptual: Option<DynPerceptual>,
    features: Option<DynFeatures>,
    generator: Option<DynGenerator>,
    frames: Option<FrameCondition>,
}

/// Measures a trained run.
///
/// # Errors
/// When a network's weights are missing, the clips do not suit a metric, the run lacks a generator that a metric needs, or no clip can be
/// read.
pub fn measure(run: &TrainedRun, request: &EvalRequest, progress: OnProgress<'_>) -> Result<Shard, RuntimeError> {
    let (protocol, pipeline) = (&request.protocol, &run.pipeline);
    let wants = |metric| request.metrics.contains(&metric);
    let mut data = request.data.clone().unwrap_or_else(|| pipeline.data.clone());
    if let DataSettings::Video(video) = &mut data {
        // departure 5: what is measured is never flipped
        video.horizontal_flip = false;
    }
    let dataset = data.open(pipeline.clip.shape())?;
    let available = dataset.len(protocol.split);
    if available == 0 {
        return Err(DataError::EmptySplit { split: protocol.split, source_name: dataset.name() }.into());
    }
    let mut count = protocol.clips.unwrap_or(available);
    if protocol.windows == WindowChoice::Middle && count > available {
        tracing::warn!("the {} split of `{}` has {available} clips, not {count}", protocol.split, dataset.name());
        count = available;
    }
    let networks = Networks::build(run, request)?;
    let card = card(run, request, dataset.as_ref(), count, &networks)?;
    let mut shard = Shard {
        index: request.shard.index,
        of: request.shard.of,
        clips: Vec::new(),
        missing: Vec::new(),
        values: request
            .metrics
            .iter()
            .filter(|m| m.of_reconstructions() && !m.of_features())
            .map(|m| (m.name().into(), vec![]))
            .collect(),
        codebook: if wants(Metric::Usage) { run.tokenizer.quantizer.vocab_size() } else { 0 },
        tokens: Vec::new(),
        features: BTreeMap::new(),
        card,
    };
    if let Some(features) = &shard.card.features {
        let sets = [("real", true), ("reconstructed", wants(Metric::Rfvd)), ("generated", wants(Metric::Gfvd))];
        for (name, _) in sets.into_iter().filter(|(_, wanted)| *wanted) {
            shard.features.insert(name.into(), FeatureSet::new(features.dim));
        }
    }
    let blocks = count.div_ceil(protocol.batch);
    let own: Vec<usize> = (0..blocks).filter(|block| block % request.shard.of == request.shard.index - 1).collect();
    for (done, &block) in own.iter().enumerate() {
        progress(done as u64, own.len() as u64, "batches measured");
        let numbers: Vec<usize> = (block * protocol.batch..((block + 1) * protocol.batch).min(count)).collect();
        let mut samples = Vec::new();
        for (number, sample) in numbers.iter().zip(read(&dataset, protocol, &numbers)) {
            match sample {
                Ok(sample) => samples.push((*number, sample)),
                Err(error) => {
                    let Some((path, reason)) = error.skippable() else { return Err(error.into()) };
                    dataset.problems().record(path, &reason);
                    shard.missing.push(*number);
                }
            }
        }
        if !samples.is_empty() {
            measure_block(run, request, &networks, dataset.as_ref(), &mut shard, block, &samples)?;
        }
    }
    progress(own.len() as u64, own.len() as u64, "batches measured");
    if shard.clips.is_empty() && !own.is_empty() {
        let split = protocol.split;
        let first = dataset.problems().list().into_iter().next().map(|problem| problem.reason).unwrap_or_default();
        return Err(DataError::NothingDecodes { split, tried: shard.missing.len(), first }.into());
    }
    Ok(shard)
}

/// Reads the clips with these numbers, each in a thread of its own.
fn read(dataset: &Arc<dyn Dataset>, protocol: &Protocol, numbers: &[usize]) -> Vec<Result<Sample, DataError>> {
    let available = dataset.len(protocol.split);
    thread::scope(|scope| {
        let readers: Vec<_> = numbers
            .iter()
            .map(|&number| {
                let window = match protocol.windows {
                    WindowChoice::Middle => Window::Fixed,
                    WindowChoice::Random => Window::Random { seed: protocol.seed, epoch: (number / available) as u64 },
                };
                scope.spawn(move || dataset.sample(protocol.split, number % available, window))
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// All metrics of some clips, added to the shard.
fn measure_block(
    run: &TrainedRun,
    request: &EvalRequest,
    networks: &Networks,
    dataset: &dyn Dataset,
    shard: &mut Shard,
    block: usize,
    samples: &[(usize, Sample)],
) -> Result<(), RuntimeError> {
    let (protocol, wants) = (&request.protocol, |metric| request.metrics.contains(&metric));
    let video = to_tensor(samples.iter().map(|(_, sample)| &sample.clip), run.device());
    if request.metrics.iter().any(|metric| metric.of_reconstructions()) || wants(Metric::Usage) {
        let tokenized = run.tokenizer.forward(video.clone(), Draw::Deterministic);
        let reconstruction = tokenized.reconstruction.clamp(0.0, 1.0);
        if wants(Metric::Usage) {
            shard.tokens.extend(ints_to_host(tokenized.quantized.tokens).into_iter().map(|token| token as i32));
        }
        let errors = clip_errors(video.clone(), reconstruction.clone());
        for (name, values) in &mut shard.values {
            match name.as_str() {
                "psnr" => values.extend(errors.iter().map(|errors| errors.psnr())),
                "l1" => values.extend(errors.iter().map(|errors| errors.l1)),
                "mse" => values.extend(errors.iter().map(|errors| errors.mse)),
                "ssim" => values.extend(ssim(video.clone(), reconstruction.clone())),
                _ => {
                    if let Some(perceptual) = &networks.perceptual {
                        let distances = to_host(perceptual.distance(reconstruction.clone(), video.clone()));
                        values.extend(distances.into_iter().map(f64::from));
                    }
                }
            }
        }
        add_features(networks, protocol, shard, "reconstructed", reconstruction);
    }
    if let Some(generator) = &networks.generator {
        let stream = Stream::new(protocol.seed).fork("evaluate").at(block as u64);
        let generated = match networks.frames {
            Some(FrameCondition { frames, tokens }) => Predictor {
                tokenizer: &run.tokenizer,
                generator,
                given: frames,
                tokens,
                sampling: run.pipeline.sampling.into(),
                given_frames: run.pipeline.sampling.given_frames,
            }
            .predict(video.clone(), stream),
            None => {
                let labels = labels(run, protocol, dataset, samples)?;
                let tokens = generate_tokens(generator, &labels, &run.pipeline.sampling.into(), stream, run.device());
                run.tokenizer.decode_tokens(tokens).clamp(0.0, 1.0)
            }
        };
        add_features(networks, protocol, shard, "generated", generated);
    }
    add_features(networks, protocol, shard, "real", video);
    shard.clips.extend(samples.iter().map(|(number, sample)| ClipEntry {
        number: *number,
        name: sample.name.clone(),
        start_frame: sample.start_frame,
        sha256: crate::data::hexadecimal(&Sha256::digest(&sample.clip.pixels)),
    }));
    Ok(())
}

fn add_features(networks: &Networks, protocol: &Protocol, shard: &mut Shard, set: &str, video: Tensor<5>) {
    if let (Some(features), Some(set)) = (&networks.features, shard.features.get_mut(set)) {
        let video = match protocol.resize {
            Some(size) => resized(video, size),
            None => video,
        };
        set.add(&to_host(features.features(video)));
    }
}

/// Bilinear, pixel centres at halves: half the side is the mean of four pixels.
fn resized(video: Tensor<5>, PictureSize { height, width }: PictureSize) -> Tensor<5> {
    let [batch, channels, frames, old_height, old_width] = video.dims();
    if (old_height, old_width) == (height, width) {
        return video;
    }
    let planes = video.reshape([batch * channels, frames, old_height, old_width]);
    let options = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false);
    interpolate(planes, [height, width], options).reshape([batch, channels, frames, height, width])
}

/// The classes to generate, in the numbering of the run.
fn labels(
    run: &TrainedRun,
    protocol: &Protocol,
    dataset: &dyn Dataset,
    samples: &[(usize, Sample)],
) -> Result<Vec<Option<usize>>, RuntimeError> {
    if run.classes.is_empty() {
        return Ok(vec![None; samples.len()]);
    }
    let label = |(number, sample): &(usize, Sample)| match (protocol.classes, sample.label) {
        (ClassChoice::InTurn, _) => Ok(Some(number % run.classes.len())),
        (ClassChoice::Copied, Some(label)) => run.class(&dataset.classes()[label]).map(Some),
        (ClassChoice::Copied, None) => {
            let message = format!(
                "`{}` has no class, and the protocol `{}` generates the classes of its clips",
                sample.name, protocol.name
            );
            Err(RuntimeError::Request(format!("{message}; use a protocol with `classes = \"in-turn\"`")))
        }
    };
    samples.iter().map(label).collect()
}

impl Networks {
    fn build(run: &TrainedRun, request: &EvalRequest) -> Result<Self, RuntimeError> {
        let (protocol, pipeline) = (&request.protocol, &run.pipeline);
        let wants = |metric| request.metrics.contains(&metric);
        let shape = pipeline.clip.shape();
        if wants(Metric::Ssim) && shape.height.min(shape.width) < WINDOW {
            let message = format!("`ssim` needs frames of at least {WINDOW} x {WINDOW}, not {} x {}", shape.height, shape.width);
            return Err(RuntimeError::Request(message));
        }
        let settings = |source: SettingsError| PipelineError::Settings { name: protocol.name.clone(), source };
        let files = |files: Vec<PublishedFile>| {
            check_all(&files).map_err(|source| PipelineError::Files { name: protocol.name.clone(), source })
        };
        let plan = pipeline.plan()?;
        let context = plan.context(plan.encoder, 0, run.device());
        let perceptual = if wants(Metric::Lpips) {
            protocol.perceptual.check(&context.video).map_err(settings)?;
            files(protocol.perceptual.files())?;
            Some(protocol.perceptual.build(&context).map_err(settings)?)
        } else {
            None
        };
        let features = if request.metrics.iter().any(|metric| metric.of_features()) {
            let mut video = context.video;
            if let Some(PictureSize { height, width }) = protocol.resize {
                (video.height, video.width) = (height, width);
            }
            protocol.features.check(&video).map_err(settings)?;
            files(protocol.features.files())?;
            Some(protocol.features.build(&BuildContext { video, ..context }).map_err(settings)?)
        } else {
            None
        };
        let (mut generator, mut frames) = (None, None);
        if wants(Metric::Gfvd) {
            generator = Some(run.generator()?);
            if let ConditionKind::Frames(condition) = run.condition()? {
                frames = Some(condition);
            }
        }
        Ok(Self { perceptual, features, generator, frames })
    }
}

fn card(
    run: &TrainedRun,
    request: &EvalRequest,
    dataset: &dyn Dataset,
    clips: usize,
    networks: &Networks,
) -> Result<Card, RuntimeError> {
    let protocol = &request.protocol;
    let checkpoint = |stage| {
        let checkpoint = run.checkpoint(stage)?;
        let weights = checkpoint.weights();
        let sha256 = sha256(&weights).map_err(RuntimeError::file("read", &weights))?;
        Ok::<_, RuntimeError>(CheckpointCard { step: checkpoint.step, sha256 })
    };
    let features = networks.features.as_ref().map(|_| {
        let weights_sha256 = protocol.features.weights_sha256();
        let weights_sha256 = weights_sha256.map_err(|source| PipelineError::Settings { name: protocol.name.clone(), source })?;
        Ok::<_, RuntimeError>(FeatureCard {
            distance: protocol.features.distance_name(),
            dim: protocol.features.dim(),
            weights_sha256,
        })
    });
    let generator = networks.generator.as_ref();
    Ok(Card {
        program: concat!("larp ", env!("CARGO_PKG_VERSION")).into(),
        protocol: serde_json::to_value(protocol).map_err(|error| RuntimeError::Request(error.to_string()))?,
        changes: request.changes.clone(),
        metrics: request.metrics.clone(),
        pipeline: run.pipeline.name.clone(),
        data: dataset.name(),
        clips,
        clip: run.pipeline.clip.shape(),
        resize: "shorter side to size, then the middle; 8 bits a channel".into(),
        dtype: "float32".into(),
        backend: request.device.split(':').next().unwrap_or_default().to_owned(),
        tokenizer: checkpoint(Stage::Tokenizer)?,
        generator: generator.map(|_| checkpoint(Stage::Generator)).transpose()?,
        sampling: generator.map(|_| SamplingCard::new(run.pipeline.sampling, networks.frames.is_some())),
        features: features.transpose()?,
        clip_list_sha256: None,
    })
}
