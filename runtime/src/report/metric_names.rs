//! The one table of metrics that reports know by name; others are plotted too, without words.

use super::curves::Scale;

/// What a metric counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Plain,
    /// A share from 0 to 1, shown in percent.
    Share,
    /// Decibels.
    Decibels,
    /// Nats for each token.
    NatsPerToken,
    /// Bits for each token.
    BitsPerToken,
    /// Codebook entries.
    Codes,
    /// Clips for each second.
    ClipsPerSecond,
}

impl Unit {
    /// How it is written behind a value.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Share => "%",
            Self::Decibels => "dB",
            Self::NatsPerToken => "nats/token",
            Self::BitsPerToken => "bits/token",
            Self::Codes => "codes",
            Self::ClipsPerSecond => "clips/s",
        }
    }
}

/// A metric in words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricInfo {
    /// The name in `values`.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What it counts in.
    pub unit: Unit,
    /// What it is, in one sentence.
    pub explanation: &'static str,
    /// The vertical axis of its chart.
    pub scale: Scale,
    /// Another metric that its chart and card show for comparison.
    pub baseline: Option<&'static str>,
}

/// The known metrics, in the order of their charts.
pub const METRICS: &[MetricInfo] = &[
    info("loss", "Loss", Unit::Plain, "What training minimises: the weighted sum of all loss terms."),
    info("l1", "L1", Unit::Plain, "Mean absolute difference between original and reconstructed pixels; lower is better."),
    info("mse", "MSE", Unit::Plain, "Mean squared difference between original and reconstructed pixels; lower is better."),
    MetricInfo {
        baseline: Some("mean_frame_psnr"),
        ..info(
            "psnr",
            "PSNR",
            Unit::Decibels,
            "Peak signal-to-noise ratio of the reconstruction; higher is better, 10 dB more is a tenth of the squared \
             error. A tokenizer that beats the baseline, each clip's mean frame, has learned motion.",
        )
    },
    info(
        "mean_frame_psnr",
        "Mean-frame PSNR",
        Unit::Decibels,
        "PSNR of predicting every frame of a clip by the mean of its frames: what a still picture reaches.",
    ),
    info(
        "perceptual",
        "Perceptual distance",
        Unit::Plain,
        "How different original and reconstruction look to a frozen network (`lpips-vgg`: LPIPS), mean over the frames; \
         lower is better.",
    ),
    info("ssim", "SSIM", Unit::Plain, "Structural similarity of the reconstruction, mean over the frames; higher is better."),
    info(
        "lpips",
        "LPIPS",
        Unit::Plain,
        "Learned perceptual distance of the reconstruction, mean over the frames; lower is better.",
    ),
    info(
        "rfvd",
        "rFD",
        Unit::Plain,
        "Fréchet distance of reconstructed from real clips over the features of the protocol's network; lower is better.",
    ),
    info(
        "gfvd",
        "gFD",
        Unit::Plain,
        "Fréchet distance of generated from real clips over the features of the protocol's network; lower is better.",
    ),
    info("code_usage", "Code usage", Unit::Share, "Share of the codebook that the encoded clips use at all."),
    info(
        "perplexity",
        "Perplexity",
        Unit::Codes,
        "Effective number of codes in use: exp of the entropy of the code frequencies.",
    ),
    info(
        "prior_nll",
        "Prior NLL",
        Unit::NatsPerToken,
        "How badly the prior trained beside the tokenizer predicts the next token; lower means tokens that are easier \
         to generate.",
    ),
    info("prior_accuracy", "Prior accuracy", Unit::Share, "How often the prior's likeliest next token is the right one."),
    MetricInfo {
        scale: Scale::Logarithmic,
        ..info("quantizer_loss", "Quantizer loss", Unit::Plain, "Loss terms of the quantizer, such as commitment.")
    },
    info(
        "nll",
        "Generator NLL",
        Unit::NatsPerToken,
        "Negative log-likelihood of the next token under the generator; lower is better.",
    ),
    info(
        "bits_per_token",
        "Bits per token",
        Unit::BitsPerToken,
        "The same in bits: what an ideal coder would spend on each token with the generator's predictions.",
    ),
    info("accuracy", "Accuracy", Unit::Share, "How often the generator's likeliest next token is the right one."),
    MetricInfo {
        baseline: Some("last_frame_psnr"),
        ..info(
            "prediction_psnr",
            "Prediction PSNR",
            Unit::Decibels,
            "PSNR of predicted frames against the real ones; the given frames do not count. A generator that beats the \
             baseline, the last given frame in place of each, goes on with the motion.",
        )
    },
    info("last_frame_psnr", "Last-frame PSNR", Unit::Decibels, "PSNR of the last given frame in place of each predicted one."),
    info(
        "reconstructed_frames_psnr",
        "PSNR of these frames reconstructed",
        Unit::Decibels,
        "PSNR of the same frames out of the tokenizer, from the tokens of the whole clip: what predictions can hardly pass.",
    ),
    info(
        "onward",
        "Motion goes on",
        Unit::Share,
        "Share of the clips whose predicted frames are nearer to the real ones than to the given frames played backwards: \
         half of them without a sense of direction.",
    ),
    info("learning_rate", "Learning rate", Unit::Plain, "Step size of the optimizer after warm-up and decay."),
    MetricInfo {
        scale: Scale::Logarithmic,
        ..info("grad_norm", "Gradient norm", Unit::Plain, "Length of the gradient before clipping; spikes show instability.")
    },
    info(
        "adversarial_loss",
        "Adversarial loss",
        Unit::Plain,
        "What the tokenizer loses to the critic, before its weight; lower means reconstructions that pass for clips.",
    ),
    MetricInfo {
        scale: Scale::Logarithmic,
        ..info("adversarial_weight", "Adversarial weight", Unit::Plain, "Weight of the adversarial loss in the whole loss.")
    },
    info("critic_loss", "Critic loss", Unit::Plain, "What the critic minimises, without penalties."),
    MetricInfo {
        baseline: Some("critic_fake_logit"),
        ..info(
            "critic_real_logit",
            "Critic logit of clips",
            Unit::Plain,
            "Mean score of training clips, beside that of their reconstructions: far apart, the critic has won; equal, it \
             sees no difference.",
        )
    },
    info("critic_fake_logit", "Critic logit of reconstructions", Unit::Plain, "Mean score of reconstructions."),
    MetricInfo {
        scale: Scale::Logarithmic,
        ..info("critic_grad_norm", "Critic gradient norm", Unit::Plain, "Length of the critic's gradient before clipping.")
    },
    info(
        "critic_skipped_updates",
        "Critic updates left out",
        Unit::Share,
        "Share of updates whose loss or gradient was not finite.",
    ),
    info("lecam", "LeCam penalty", Unit::Plain, "How far logits are beyond the moving average of the other side, squared."),
    MetricInfo {
        scale: Scale::Logarithmic,
        ..info("r1", "R1 penalty", Unit::Plain, "Half the squared gradient of a clip's score in its pixels, without its weight.")
    },
    info(
        "skipped_steps",
        "Skipped steps",
        Unit::Plain,
        "Steps of the stage so far that were left out because the loss or the gradient was NaN or infinite.",
    ),
    info("clips_per_second", "Throughput", Unit::ClipsPerSecond, "Training clips processed in a second."),
];

/// Looks a metric up.
pub fn metric_info(name: &str) -> Option<&'static MetricInfo> {
    METRICS.iter().find(|info| info.name == name)
}

const fn info(name: &'static str, title: &'static str, unit: Unit, explanation: &'static str) -> MetricInfo {
    MetricInfo { name, title, unit, explanation, scale: Scale::Linear, baseline: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_baselines_known() {
        for (index, info) in METRICS.iter().enumerate() {
            assert!(METRICS[index + 1..].iter().all(|other| other.name != info.name), "{}", info.name);
            assert!(info.baseline.is_none_or(|name| metric_info(name).is_some()), "{}", info.name);
        }
    }
}
