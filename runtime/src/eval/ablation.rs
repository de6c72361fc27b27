//! `eval` as a source of numbers for ablations.

use std::collections::BTreeMap;

use super::measure::{EvalRequest, ShardChoice, measure};
use super::metric::Metric;
use super::protocol::{Protocol, ProtocolChanges};
use super::result::finish;
use crate::RuntimeError;
use crate::ablate::{Measure, MeasureInput};
use crate::device;
use crate::use_run::TrainedRun;

/// Values under the ablation's protocol: `rfvd`, `gfvd`, `ssim`, `lpips`. The others are measured by training itself.
#[derive(Debug, Clone, Copy)]
pub struct EvalMeasure;

const METRICS: [Metric; 4] = [Metric::Rfvd, Metric::Gfvd, Metric::Ssim, Metric::Lpips];

impl Measure for EvalMeasure {
    fn names(&self) -> Vec<String> {
        METRICS.map(|metric| metric.name().to_owned()).into()
    }

    fn measure(&self, input: &MeasureInput<'_>) -> Result<BTreeMap<String, f64>, RuntimeError> {
        let mut run = TrainedRun::open(input.run, &device::parse(input.device)?)?;
        run.pipeline.sampling = input.pipeline.sampling;
        let wanted = METRICS.into_iter().filter(|metric| input.metrics.iter().any(|name| name == metric.name()));
        let metrics: Vec<Metric> = wanted.filter(|metric| *metric != Metric::Gfvd || run.pipeline.generator.is_some()).collect();
        let changes = ProtocolChanges { clips: input.protocol.clips, split: None };
        let (protocol, changes) = Protocol::open(&input.protocol.name)?.changed(changes);
        let device = input.device.to_owned();
        let request = EvalRequest { metrics, protocol, changes, data: None, shard: ShardChoice::WHOLE, device };
        let result = finish(&measure(&run, &request, &mut |_, _, _| {})?)?;
        Ok(result.metrics.into_iter().map(|(name, value)| (name, value.value)).collect())
    }
}
