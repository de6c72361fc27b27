//! Arguments of `eval`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use larp_runtime::eval::{Metric, ShardChoice};

use super::analyze::SplitArg;
use super::train::DeviceArgs;

/// Measure a trained run under a protocol
///
/// Each number comes with its confidence interval and the card that says how to get it again: protocol, clips, feature network,
/// checkpoints. Results go into `analysis/eval-PROTOCOL` of the run, and its `report.html` shows them. `--shard i/n` measures a part of
/// the clips, on any machine; `--merge` makes of all parts the numbers of one process.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Run folder
    #[arg(value_name = "RUN", required_unless_present_any = ["merge", "compare"])]
    pub run: Option<PathBuf>,
    /// rfvd, gfvd, psnr, ssim, lpips, l1, mse, usage
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', default_value = "rfvd,gfvd,psnr,ssim,usage", value_parser = Metric::from_str)]
    pub metrics: Vec<Metric>,
    /// A protocol file, or a built-in one: held-out, held-out-i3d, released-ucf101-rfvd, released-ucf101-gfvd, released-k600-fp
    #[arg(long, value_name = "NAME|FILE", default_value = "held-out")]
    pub protocol: String,
    /// `procedural`, a folder of class folders, a CSV of `path,label`, or a video [default: the run's]
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Another part of the data than the protocol's
    #[arg(long, value_enum, value_name = "SPLIT")]
    pub split: Option<SplitArg>,
    /// Another number of clips than the protocol's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub clips: Option<u64>,
    /// Measure one of n parts, from 1/n to n/n, and write it into the folder of `-o`
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "output")]
    pub shard: Option<ShardChoice>,
    /// Join the parts in a folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "shard", "compare"])]
    pub merge: Option<PathBuf>,
    /// Put results side by side, and mark those measured under other conditions than the first
    #[arg(long, value_name = "RESULT", num_args = 1.., conflicts_with_all = ["run", "shard"])]
    pub compare: Vec<PathBuf>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Folder to write into
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn shard(text: &str) -> Result<ShardChoice, String> {
    let parse = || {
        let (index, of) = text.split_once('/')?;
        Some(ShardChoice { index: index.parse().ok()?, of: of.parse().ok()? })
    };
    match parse() {
        Some(shard) if (1..=shard.of).contains(&shard.index) => Ok(shard),
        _ => Err("it must be i/n with i from 1 to n, such as 3/8".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_count_from_one() {
        assert_eq!(shard("3/8"), Ok(ShardChoice { index: 3, of: 8 }));
        assert!(["0/8", "9/8", "3", "a/b", "1/0"].into_iter().all(|text| shard(text).is_err()));
    }
}
