//! Numbers for people.

use super::metric_names::Unit;

/// A number with about four significant digits.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "∞"
        } else {
            "−∞"
        }
        .to_owned();
    }
    match size {
        0.0 => "0".to_owned(),
        _ if !(1e-3..1e15).contains(&size) => scientific(value),
        _ if size >= 1e4 => count(value.round() as i64),
        _ => {
            let decimals = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            minus(trimmed(format!("{value:.decimals$}")))
        }
    }
}

/// A value in its unit, without the symbol.
pub(super) fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share if value.is_finite() => minus(format!("{:.1}", value * 100.0)),
        Unit::Decibels if value.is_finite() => minus(format!("{value:.2}")),
        _ => number(value),
    }
}

/// A value in its unit, with the symbol.
pub(super) fn with_unit(value: f64, unit: Unit) -> String {
    let text = in_unit(value, unit);
    if unit.symbol().is_empty() { text } else { format!("{text}\u{a0}{}", unit.symbol()) }
}

/// A whole number in groups of three digits.
pub(super) fn count(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    let grouped = groups.join("\u{202f}");
    if value < 0 { format!("−{grouped}") } else { grouped }
}

/// A time span in its two largest units.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} min {rest} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// Main memory in GiB.
pub(super) fn memory(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// A label of an axis whose ticks lie about `spacing` apart.
pub(crate) fn tick(value: f64, spacing: f64) -> String {
    let size = value.abs();
    match size {
        _ if size < spacing * 1e-6 => "0".to_owned(),
        _ if size >= 1e6 => minus(trimmed(format!("{:.2}", value / 1e6))) + "M",
        _ if size >= 1e4 => minus(trimmed(format!("{:.1}", value / 1e3))) + "k",
        _ if spacing < 1e-4 => scientific(value),
        _ => {
            let decimals = (-(spacing * 1.001).log10().floor()).clamp(0.0, 6.0) as usize;
            minus(format!("{value:.decimals$}"))
        }
    }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((digits, exponent)) => minus(format!("{}e{exponent}", trimmed(digits.to_owned()))),
        None => text,
    }
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn minus(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let shown = [0.0, 0.123_456, 1.5, 12.3456, 1234.56, 12_345.6, 0.000_312, -2.0, f64::NAN].map(number);
        assert_eq!(shown, ["0", "0.1235", "1.5", "12.35", "1235", "12\u{202f}346", "3.12e−4", "−2", "NaN"].map(str::to_owned));
    }

    #[test]
    fn units_change_the_number() {
        assert_eq!(with_unit(0.5, Unit::Share), "50.0\u{a0}%");
        assert_eq!(with_unit(21.456, Unit::Decibels), "21.46\u{a0}dB");
        assert_eq!(with_unit(2.5, Unit::Plain), "2.5");
    }

    #[test]
    fn ticks_are_short() {
        let shown = [tick(0.25, 0.05), tick(20_000.0, 5_000.0), tick(0.0, 1.0), tick(2e-5, 1e-5), tick(1.5e6, 5e5)];
        assert_eq!(shown, ["0.25", "20k", "0", "2e−5", "1.5M"].map(str::to_owned));
    }

    #[test]
    fn durations_show_two_units() {
        assert_eq!([59.4, 61.0, 7260.0].map(duration), ["59 s", "1 min 1 s", "2 h 1 min"].map(str::to_owned));
    }
}
