//! One chart a metric: a row for each variant, or curves over a setting.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::results::{MetricColumn, Results, VariantResult};
use crate::report::tick;

/// Twice the size on the page, because the SVG backend rounds to whole pixels.
const WIDTH: u32 = 900;
const FONT: u32 = 28;
/// Stands for the text colour of the page and is replaced by `currentColor`.
const INK: RGBColor = RGBColor(1, 2, 3);
/// Colours with at least 3:1 contrast on both white and near-black.
const COLORS: [RGBColor; 4] = [RGBColor(59, 130, 246), RGBColor(224, 104, 15), RGBColor(22, 150, 100), RGBColor(190, 80, 190)];

/// What is drawn of one variant.
struct Mark {
    row: usize,
    x: Option<f64>,
    series: usize,
    mean: f64,
    interval: Option<(f64, f64)>,
    values: Vec<f64>,
}

/// Draws a metric into one SVG element; `None` where no variant has it.
pub(super) fn draw(results: &Results, column: &MetricColumn) -> Option<String> {
    let series = series_names(results);
    let marks: Vec<Mark> =
        results.variants.iter().enumerate().filter_map(|(row, variant)| mark(row, variant, column, &series)).collect();
    if marks.is_empty() {
        return None;
    }
    let over_setting = marks.iter().all(|mark| mark.x.is_some()) && marks.iter().any(|mark| mark.x != marks[0].x);
    let svg = if over_setting { curves(&marks, &series) } else { rows(&marks, results) }?;
    Some(svg.replace("\"#010203\"", "\"currentColor\"").replacen("<svg ", "<svg aria-hidden=\"true\" ", 1))
}

fn mark(row: usize, variant: &VariantResult, column: &MetricColumn, series: &[String]) -> Option<Mark> {
    let (found, factor) = (variant.estimates.get(&column.name)?, column.factor());
    Some(Mark {
        row,
        x: variant.x,
        series: variant.series.as_ref().and_then(|name| series.iter().position(|known| known == name)).unwrap_or(0),
        mean: found.mean * factor,
        interval: found.interval.map(|(low, high)| (low * factor, high * factor)),
        values: variant.values(&column.name).into_iter().map(|(_, value)| value * factor).collect(),
    })
}

/// In the order of the variants.
pub(super) fn series_names(results: &Results) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in results.variants.iter().filter_map(|variant| variant.series.clone()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The values lie to the right, a row below the other is the next variant.
fn rows(marks: &[Mark], results: &Results) -> Option<String> {
    let count = results.variants.len();
    let (low, high) = bounds(marks)?;
    let spacing = (high - low) / 5.0;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 70 + 56 * count as u32)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .margin_right(40)
            .margin_left(300)
            .x_label_area_size(50)
            .build_cartesian_2d(low..high, (count as f64)..0.0)
            .ok()?;
        chart
            .configure_mesh()
            .x_labels(5)
            .max_light_lines(0)
            .disable_y_mesh()
            .bold_line_style(INK.mix(0.15))
            .axis_style(INK.mix(0.4))
            .label_style(("sans-serif", FONT).into_font().color(&INK))
            .x_label_formatter(&|value: &f64| tick(*value, spacing))
            .draw()
            .ok()?;
        let color = COLORS[0];
        for mark in marks {
            let height = mark.row as f64 + 0.5;
            let interval = mark.interval.map(|(a, b)| (a.max(low), b.min(high)));
            let line = interval.map(|(a, b)| PathElement::new(vec![(a, height), (b, height)], color.stroke_width(4)));
            chart.draw_series(line).ok()?;
            chart.draw_series(mark.values.iter().map(|value| Circle::new((*value, height), 5, INK.mix(0.55).filled()))).ok()?;
            chart.draw_series([Circle::new((mark.mean, height), 9, color.filled())]).ok()?;
        }
        let style = ("sans-serif", FONT).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
        for (row, variant) in results.variants.iter().enumerate() {
            let (_, y) = chart.backend_coord(&(low, row as f64 + 0.5));
            root.draw(&Text::new(shortened(&variant.name, 21), (285, y), style.clone())).ok()?;
        }
        root.present().ok()?;
    }
    Some(svg)
}

/// The setting to the right, the values upwards, a curve for each series.
fn curves(marks: &[Mark], series: &[String]) -> Option<String> {
    let (low, high) = bounds(marks)?;
    let spacing = (high - low) / 5.0;
    let ends = marks.iter().filter_map(|mark| mark.x).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let room = (ends.1 - ends.0) * 0.06;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 520)).into_drawing_area();
        let mut left = 110;
        for (index, name) in series.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            root.draw(&PathElement::new(vec![(left, 20), (left + 34, 20)], color.stroke_width(6))).ok()?;
            let style = ("sans-serif", FONT).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(name.clone(), (left + 44, 20), style)).ok()?;
            left += 44 + name.len() as i32 * 15 + 36;
        }
        let mut chart = ChartBuilder::on(&root)
            .margin_top(46)
            .margin_right(40)
            .x_label_area_size(50)
            .y_label_area_size(110)
            .build_cartesian_2d(ends.0 - room..ends.1 + room, low..high)
            .ok()?;
        let step = (ends.1 - ends.0) / 5.0;
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(6)
            .max_light_lines(0)
            .disable_x_mesh()
            .bold_line_style(INK.mix(0.15))
            .axis_style(INK.mix(0.4))
            .label_style(("sans-serif", FONT).into_font().color(&INK))
            .x_label_formatter(&|value: &f64| tick(*value, step))
            .y_label_formatter(&|value: &f64| tick(*value, spacing))
            .draw()
            .ok()?;
        for index in 0..series.len().max(1) {
            let color = COLORS[index % COLORS.len()];
            let mut own: Vec<(f64, &Mark)> =
                marks.iter().filter(|mark| mark.series == index).filter_map(|mark| Some((mark.x?, mark))).collect();
            own.sort_by(|a, b| a.0.total_cmp(&b.0));
            // curves stand a little beside each other, so that their intervals are told apart
            let beside = (index as f64 - (series.len().max(1) - 1) as f64 / 2.0) * (ends.1 - ends.0) * 0.015;
            own.iter_mut().for_each(|(x, _)| *x += beside);
            chart.draw_series(LineSeries::new(own.iter().map(|(x, mark)| (*x, mark.mean)), color.stroke_width(3))).ok()?;
            for (x, mark) in own {
                let interval = mark.interval.map(|(a, b)| (a.max(low), b.min(high)));
                let line = interval.map(|(a, b)| PathElement::new(vec![(x, a), (x, b)], color.mix(0.6).stroke_width(3)));
                chart.draw_series(line).ok()?;
                chart.draw_series(mark.values.iter().map(|value| Circle::new((x, *value), 4, INK.mix(0.55).filled()))).ok()?;
                chart.draw_series([Circle::new((x, mark.mean), 8, color.filled())]).ok()?;
            }
        }
        root.present().ok()?;
    }
    Some(svg)
}

/// All values, and the intervals as far as they leave the values readable: two seeds have intervals many times as wide.
fn bounds(marks: &[Mark]) -> Option<(f64, f64)> {
    let all = || marks.iter().flat_map(|mark| mark.values.iter().copied()).filter(|value| value.abs() < 1e30);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if !(low.is_finite() && high.is_finite()) {
        return None;
    }
    let spread = (high - low).max(high.abs().max(low.abs()) * 1e-3).max(1e-9);
    let intervals = || marks.iter().filter_map(|mark| mark.interval);
    let low_end = intervals().map(|(a, _)| a).fold(low, f64::min).max(low - spread);
    let high_end = intervals().map(|(_, b)| b).fold(high, f64::max).min(high + spread);
    let room = (high_end - low_end).max(spread) * 0.06;
    Some((low_end - room, high_end + room))
}

fn shortened(name: &str, length: usize) -> String {
    if name.chars().count() <= length { name.into() } else { name.chars().take(length - 1).chain(['…']).collect() }
}
