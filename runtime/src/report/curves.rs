//! Line charts as inline SVG that suits light and dark pages.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::format;
use super::thin::thin;

/// Twice the size on the page, because the SVG backend rounds to whole pixels.
const SIZE: (u32, u32) = (760, 440);
const FONT: u32 = 30;
/// Stands for the text colour of the page and is replaced by `currentColor`.
const INK: RGBColor = RGBColor(1, 2, 3);
/// Parts of a thinned curve; more cannot be told apart at this size.
const BUCKETS: usize = 180;
/// Larger values count as infinite: the axes of plotters never end for a range that overflows.
const LARGEST: f64 = 1e30;
/// Up to this many points are drawn as dots too.
const DOTS: usize = 40;

/// The vertical axis of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal lengths.
    Linear,
    /// Equal ratios are equal lengths; charts with values that are not positive fall back to linear.
    Logarithmic,
}

/// What a curve shows; decides its colour and its name in the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurveRole {
    /// Measured on the clips being learned.
    Train,
    /// Measured on clips held out.
    Validation,
    /// Something to compare with.
    Baseline,
}

impl CurveRole {
    /// The name in legends.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Baseline => "baseline",
        }
    }

    /// Colours with at least 3:1 contrast on both white and near-black.
    fn color(self) -> RGBColor {
        match self {
            Self::Train => RGBColor(59, 130, 246),
            Self::Validation => RGBColor(224, 104, 15),
            Self::Baseline => RGBColor(128, 128, 128),
        }
    }
}

/// Values by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it shows.
    pub role: CurveRole,
    /// Steps, ascending, and values; non-finite values break the line.
    pub points: Vec<(u64, f64)>,
}

/// Draws `curves` into one SVG element for embedding in HTML; `None` when no value is finite.
///
/// Text and axes use `currentColor` and the background is transparent, so that the page's CSS decides both.
pub fn draw_curves(curves: &[Curve], scale: Scale) -> Option<String> {
    let finite = || curves.iter().flat_map(|curve| &curve.points).filter(|(_, value)| drawable(*value));
    let logarithmic = scale == Scale::Logarithmic && finite().all(|(_, value)| *value > 0.0);
    let height = |value: f64| if logarithmic { value.log10() } else { value };
    let x = range(finite().map(|(step, _)| *step as f64))?;
    let values = padded(range(finite().map(|(_, value)| height(*value)))?);
    let spacing = (values.1 - values.0) / 5.0;
    // a power of ten keeps ticks round and tiny ranges within what plotters can divide
    let power = 10f64.powf(spacing.log10().floor());
    let y = (values.0 / power, values.1 / power);
    let y_label = |scaled: &f64| {
        let value = scaled * power;
        if logarithmic { format::number(rounded(10f64.powf(value))) } else { format::tick(value, spacing) }
    };
    let x_label = |value: &f64| if value.fract() == 0.0 { format::tick(*value, 1.0) } else { String::new() };

    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw_legend(&root, curves)?;
        let mut chart = ChartBuilder::on(&root)
            .margin_top(46)
            .margin_right(34)
            .x_label_area_size(50)
            .y_label_area_size(100)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)
            .ok()?;
        let text = ("sans-serif", FONT).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(6)
            .max_light_lines(0)
            .disable_x_mesh()
            .bold_line_style(INK.mix(0.15))
            .axis_style(INK.mix(0.4))
            .label_style(text)
            .x_label_formatter(&x_label)
            .y_label_formatter(&y_label)
            .draw()
            .ok()?;
        for curve in curves {
            let style = curve.role.color().stroke_width(3);
            let thinned = thin(&curve.points, BUCKETS);
            let points: Vec<(f64, f64)> = thinned.iter().map(|(step, value)| (*step as f64, height(*value) / power)).collect();
            for line in points.split(|(_, value)| !drawable(*value * power)) {
                chart.draw_series(LineSeries::new(line.iter().copied(), style)).ok()?;
                let dotted = line.len() == 1 || (curve.role == CurveRole::Validation && points.len() <= DOTS);
                let dots = line.iter().filter(|_| dotted).map(|point| Circle::new(*point, 5, style.filled()));
                chart.draw_series(dots).ok()?;
            }
        }
        root.present().ok()?;
    }
    Some(svg.replace("\"#010203\"", "\"currentColor\"").replacen("<svg ", "<svg aria-hidden=\"true\" ", 1))
}

fn draw_legend<DB: DrawingBackend>(root: &DrawingArea<DB, Shift>, curves: &[Curve]) -> Option<()> {
    let mut left = 100;
    for role in curves.iter().filter(|curve| !curve.points.is_empty()).map(|curve| curve.role) {
        let line = PathElement::new(vec![(left, 20), (left + 34, 20)], role.color().stroke_width(6));
        root.draw(&line).ok()?;
        let style = ("sans-serif", FONT).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(role.label(), (left + 44, 20), style)).ok()?;
        left += 44 + role.label().len() as i32 * 15 + 36;
    }
    Some(())
}

fn drawable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// The smallest and the largest value, kept apart.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    })?;
    if high - low > high.abs().max(low.abs()) * 1e-6 {
        return Some((low, high));
    }
    let half = if low == 0.0 { 1.0 } else { (low.abs() * 0.1).max(1e-30) };
    Some((low - half, high + half))
}

fn padded((low, high): (f64, f64)) -> (f64, f64) {
    let room = (high - low) * 0.06;
    (low - room, high + room)
}

/// Two significant digits, enough to place a tick on a logarithmic axis.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(role: CurveRole, values: &[f64]) -> Curve {
        Curve { role, points: values.iter().enumerate().map(|(step, value)| (step as u64 * 100, *value)).collect() }
    }

    #[test]
    fn both_splits_share_a_chart_with_a_legend() {
        let curves = [curve(CurveRole::Train, &[3.0, 2.0, 1.0]), curve(CurveRole::Validation, &[3.5, 2.5])];
        let svg = draw_curves(&curves, Scale::Linear).unwrap();
        assert!(svg.starts_with("<svg ") && svg.contains("viewBox"));
        assert!(svg.contains("train") && svg.contains("validation") && !svg.contains("baseline"));
        assert!(svg.contains("#3B82F6") && svg.contains("#E0680F"));
    }

    #[test]
    fn text_takes_the_colour_of_the_page() {
        let svg = draw_curves(&[curve(CurveRole::Train, &[1.0, 2.0])], Scale::Linear).unwrap();
        assert!(svg.contains("fill=\"currentColor\"") && !svg.contains("#010203"));
    }

    #[test]
    fn non_finite_values_break_the_line() {
        let whole = draw_curves(&[curve(CurveRole::Train, &[1.0, 2.0, 3.0, 2.0])], Scale::Linear).unwrap();
        let broken = draw_curves(&[curve(CurveRole::Train, &[1.0, 2.0, f64::NAN, 2.0])], Scale::Linear).unwrap();
        let circles = |svg: &str| svg.matches("<circle").count();
        assert_eq!((circles(&whole), circles(&broken)), (0, 1));
        assert_eq!(draw_curves(&[curve(CurveRole::Train, &[f64::NAN])], Scale::Linear), None);
    }

    #[test]
    fn odd_values_can_be_drawn() {
        for values in
            [&[0.0, 0.0][..], &[5.0], &[1e-12, 1e12], &[1e-300, 1e-299], &[-1.0, 1.0], &[f64::MAX, 1.0], &[1.0, 1.0 + 1e-12]]
        {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                assert!(draw_curves(&[curve(CurveRole::Validation, values)], scale).is_some(), "{values:?}");
            }
        }
    }
}
