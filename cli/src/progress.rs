//! Training as it goes on: a bar on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use larp_runtime::report::{MetricRecord, MetricSplit, Stage};
use larp_runtime::train::{Event, Observer};

use crate::results::metrics_in_words;
use crate::terminal::Terminal;

/// Shows training.
pub struct TrainProgress {
    terminal: Terminal,
    interrupted: Arc<AtomicBool>,
    told_of_interrupt: bool,
    bar: Option<ProgressBar>,
    stage: Option<StageProgress>,
    tokenizing: bool,
}

/// Where a stage stands.
struct StageProgress {
    from: usize,
    total: usize,
    since: Instant,
}

impl TrainProgress {
    /// Shows training on `terminal`; `interrupted` is what Ctrl-C sets.
    pub fn new(terminal: &Terminal, interrupted: Arc<AtomicBool>) -> Self {
        let terminal = terminal.clone();
        Self { terminal, interrupted, told_of_interrupt: false, bar: None, stage: None, tokenizing: false }
    }

    fn start_bar(&mut self, name: &str, template: &str, from: usize, total: usize) {
        self.finish();
        if self.terminal.is_interactive() {
            let style = ProgressStyle::with_template(template).expect("a template of our own").progress_chars("━╸─");
            let bar = ProgressBar::new(total as u64).with_style(style).with_prefix(name.to_owned());
            let bar = self.terminal.bars().add(bar.with_position(from as u64));
            bar.reset_eta();
            bar.enable_steady_tick(Duration::from_millis(500));
            self.bar = Some(bar);
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: impl AsRef<str>) {
        self.terminal.line(text);
    }

    fn logged(&self, record: &MetricRecord) {
        if record.split != MetricSplit::Train || self.bar.is_some() {
            return;
        }
        let Some(stage) = &self.stage else { return };
        let (step, total) = (record.step as usize, stage.total);
        let seconds = stage.since.elapsed().as_secs_f64() / (step - stage.from).max(1) as f64 * (total - step) as f64;
        // the schedule's numbers are in metrics.jsonl; here is what moves
        let mut shown = record.values.clone();
        shown.retain(|name, value| match name.as_str() {
            "learning_rate" | "grad_norm" => false,
            "skipped_steps" => *value > 0.0,
            _ => true,
        });
        self.line(format!("{} {step}/{total}: {}, {} left", record.stage, metrics_in_words(&shown), duration(seconds)));
    }

    fn evaluated(&self, stage: Stage, step: usize, values: &BTreeMap<String, f64>) {
        self.line(format!("{stage} after {step} steps, held-out clips: {}", metrics_in_words(values)));
    }

    fn tell_of_interrupt(&mut self) {
        if !self.told_of_interrupt && self.interrupted.load(Ordering::Relaxed) {
            self.told_of_interrupt = true;
            self.line("interrupted: saving a checkpoint; Ctrl-C again stops at once");
        }
    }
}

impl Observer for TrainProgress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage, from, total, parameters } => {
                let on = if *from > 0 { format!(", going on after step {from}") } else { String::new() };
                let parameters = crate::output::thousands(*parameters);
                self.finish();
                self.line(format!("{stage}: {total} steps, {parameters} parameters{on}"));
                self.tokenizing = false;
                self.stage = Some(StageProgress { from: *from, total: *total, since: Instant::now() });
                let template = "{prefix} {bar:24} {pos}/{len}  {msg}  {eta} left";
                self.start_bar(stage.name(), template, *from, *total);
            }
            Event::Step { step, loss, rate, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("loss {loss:.4}  {rate:.0} clips/s"));
                    bar.set_position(*step as u64);
                }
            }
            Event::Logged(record) => self.logged(record),
            Event::Evaluated { stage, step, values } => self.evaluated(*stage, *step, values),
            Event::Saved { path } => {
                if self.bar.is_none() {
                    self.line(format!("saved {}", path.display()));
                }
            }
            Event::Tokenizing { done, total } => {
                if !self.tokenizing {
                    self.start_bar("tokenizing", "{prefix} {bar:24} {pos}/{len} clips  {eta} left", 0, *total);
                    self.tokenizing = true;
                    if self.bar.is_none() {
                        self.line(format!("tokenizing {total} clips"));
                    }
                }
                if let Some(bar) = &self.bar {
                    bar.set_position(*done as u64);
                }
                if done >= total {
                    self.finish();
                    self.tokenizing = false;
                }
            }
        }
        self.tell_of_interrupt();
    }
}

impl Drop for TrainProgress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A time span in its two largest units.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units() {
        assert_eq!([0.4, 61.0, 7260.0].map(duration), ["0 s", "1 min 1 s", "2 h 1 min"]);
    }
}
