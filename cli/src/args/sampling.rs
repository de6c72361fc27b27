//! How tokens are drawn, for `generate` and `predict`.

use clap::Args;
use larp_runtime::pipeline::SamplingSettings;

/// Sampling settings that are not given are the pipeline's.
#[derive(Debug, Args)]
pub struct SamplingArgs {
    /// Draw among the K likeliest tokens only; 0 is all
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Draw among the likeliest tokens up to this probability
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Divides the logits: below 1 is safer, above 1 more varied
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
}

impl SamplingArgs {
    /// Laid over a pipeline's settings.
    pub fn over(&self, mut settings: SamplingSettings) -> SamplingSettings {
        settings.temperature = self.temperature.unwrap_or(settings.temperature);
        settings.top_k = self.top_k.unwrap_or(settings.top_k);
        settings.top_p = self.top_p.unwrap_or(settings.top_p);
        settings
    }
}
