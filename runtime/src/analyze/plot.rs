//! Plots as SVG files that suit light and dark pages.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{number, tick};

/// Twice the size on the page, because the SVG backend rounds to whole pixels.
const SIZE: (u32, u32) = (1280, 720);
const FONT: u32 = 28;
/// Height of a line of the legend.
const LINE: i32 = 40;
/// Stands for the text colour and is replaced by `currentColor`.
const INK: RGBColor = RGBColor(1, 2, 3);
/// Larger values are left out: the axes of plotters never end for a range that overflows.
const LARGEST: f64 = 1e30;
/// Colours of the series, each with a contrast of at least 3:1 to white and to near-black.
const COLORS: [RGBColor; 8] = [
    RGBColor(59, 130, 246),
    RGBColor(224, 104, 15),
    RGBColor(22, 150, 90),
    RGBColor(190, 90, 235),
    RGBColor(225, 55, 120),
    RGBColor(10, 145, 175),
    RGBColor(165, 115, 20),
    RGBColor(128, 128, 128),
];
/// As an image the plot knows no colours of the page around it.
const STYLE: &str = "<style>svg{color:#586474;background:#fff}@media(prefers-color-scheme:dark){svg{color:#98a5b4;background:#171e26}}\
                     text{font-family:system-ui,sans-serif}</style>";

/// An axis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Axis {
    /// What is along it, with the unit.
    pub label: String,
    /// Equal ratios are equal lengths; values that are not positive are left out.
    pub logarithmic: bool,
}

impl Axis {
    /// Equal differences are equal lengths.
    pub fn linear(label: &str) -> Self {
        Self { label: label.into(), logarithmic: false }
    }

    /// Equal ratios are equal lengths.
    pub fn logarithmic(label: &str) -> Self {
        Self { label: label.into(), logarithmic: true }
    }

    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.logarithmic { value.log10() } else { value };
        (place.abs() <= LARGEST).then_some(place)
    }
}

/// How points are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A line through dots.
    Line,
    /// Dots alone.
    Dots,
    /// The area below a line, down to the lower edge.
    Area,
    /// A bar from each point to the next one's x; the last point is the end of the last bar.
    Bars,
}

/// Points of one colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// x and y.
    pub points: Vec<(f64, f64)>,
}

/// A plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// How all series are drawn.
    pub mark: Mark,
    /// The series.
    pub series: Vec<Series>,
}

impl Plot {
    /// The plot as an SVG document; `None` when there is no point to draw.
    pub fn svg(&self) -> Option<String> {
        let place = |&(x, y): &(f64, f64)| Some((self.x.place(x)?, self.y.place(y)?));
        let series: Vec<Vec<(f64, f64)>> =
            self.series.iter().map(|series| series.points.iter().filter_map(place).collect()).collect();
        let all = || series.iter().flatten();
        let x = extent(all().map(|point| point.0))?;
        let mut y = extent(all().map(|point| point.1))?;
        if matches!(self.mark, Mark::Area | Mark::Bars) && !self.y.logarithmic {
            y.0 = y.0.min(0.0);
        }
        let room = (y.1 - y.0) * 0.05;
        let y = (if y.0 == 0.0 { 0.0 } else { y.0 - room }, y.1 + room);
        let x_room = if self.mark == Mark::Dots { (x.1 - x.0) * 0.01 } else { 0.0 };
        let x = (x.0 - x_room, x.1 + x_room);

        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            let top = self.legend(&root)?;
            let mut chart = ChartBuilder::on(&root)
                .margin_top(top)
                .margin_right(40)
                .margin_bottom(10)
                .margin_left(10)
                .x_label_area_size(80)
                .y_label_area_size(150)
                .build_cartesian_2d(x.0..x.1, y.0..y.1)
                .ok()?;
            chart
                .configure_mesh()
                .x_labels(8)
                .y_labels(7)
                .max_light_lines(0)
                .disable_x_mesh()
                .bold_line_style(INK.mix(0.15))
                .axis_style(INK.mix(0.4))
                .label_style(("sans-serif", FONT).into_font().color(&INK))
                .axis_desc_style(("sans-serif", FONT).into_font().color(&INK))
                .x_desc(&self.x.label)
                .y_desc(&self.y.label)
                .x_label_formatter(&|value| label(&self.x, *value, x))
                .y_label_formatter(&|value| label(&self.y, *value, y))
                .draw()
                .ok()?;
            for (index, points) in series.iter().enumerate() {
                let color = COLORS[index % COLORS.len()];
                let line = || LineSeries::new(points.iter().copied(), color.stroke_width(4));
                match self.mark {
                    Mark::Line => {
                        chart.draw_series(line()).ok()?;
                        let dots = points.iter().filter(|_| points.len() <= 40);
                        chart.draw_series(dots.map(|&point| Circle::new(point, 7, color.filled()))).ok()?;
                    }
                    Mark::Dots => {
                        chart.draw_series(points.iter().map(|&point| Circle::new(point, 4, color.mix(0.7).filled()))).ok()?;
                    }
                    Mark::Area => {
                        chart.draw_series(AreaSeries::new(points.iter().copied(), y.0, color.mix(0.25))).ok()?;
                        chart.draw_series(line()).ok()?;
                    }
                    Mark::Bars => {
                        let bar = |pair: &[(f64, f64)]| {
                            let corners = [(pair[0].0, pair[0].1), (pair[1].0, y.0)];
                            Rectangle::new(corners, color.mix(0.45).filled())
                        };
                        chart.draw_series(points.windows(2).map(bar)).ok()?;
                    }
                }
            }
            root.present().ok()?;
        }
        // inside the root element, as its first child
        let end = svg.find("<svg ").and_then(|start| Some(start + svg[start..].find('>')? + 1))?;
        svg.insert_str(end, STYLE);
        Some(svg.replace("\"#010203\"", "\"currentColor\""))
    }

    /// Draws the names of the series, and gives the height that they take.
    fn legend<DB: DrawingBackend>(&self, root: &DrawingArea<DB, Shift>) -> Option<i32> {
        if let [only] = &self.series[..]
            && only.name.is_empty()
        {
            return Some(24);
        }
        let (mut left, mut top) = (160, 26);
        for (index, series) in self.series.iter().enumerate() {
            let width = 60 + series.name.chars().count() as i32 * 15 + 30;
            if left > 160 && left + width > SIZE.0 as i32 {
                (left, top) = (160, top + LINE);
            }
            let color = COLORS[index % COLORS.len()];
            root.draw(&Rectangle::new([(left, top - 8), (left + 34, top + 8)], color.filled())).ok()?;
            let style = ("sans-serif", FONT).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(series.name.clone(), (left + 46, top), style)).ok()?;
            left += width;
        }
        Some(top + LINE)
    }
}

fn label(axis: &Axis, value: f64, (low, high): (f64, f64)) -> String {
    if !axis.logarithmic {
        return tick(value, (high - low) / 7.0);
    }
    let value = 10f64.powf(value);
    match value {
        1e4.. => tick(value, value),
        _ => number(format!("{value:.1e}").parse().unwrap_or(value)),
    }
}

/// The smallest and the largest value, kept apart.
fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    })?;
    let distance = (low.abs().max(high.abs()) * 1e-6).max(1e-9);
    if high - low > distance { Some((low, high)) } else { Some((low - 0.5 - low.abs() * 0.05, high + 0.5 + high.abs() * 0.05)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(mark: Mark, points: &[(f64, f64)]) -> Plot {
        let series = ["a < b", "second"].map(|name| Series { name: name.into(), points: points.to_vec() });
        Plot { x: Axis::linear("token"), y: Axis::logarithmic("number"), mark, series: series.into() }
    }

    #[test]
    fn every_mark_draws_every_series_with_its_name() {
        for mark in [Mark::Line, Mark::Dots, Mark::Area, Mark::Bars] {
            let svg = plot(mark, &[(1.0, 1.0), (2.0, 100.0), (3.0, 10.0)]).svg().unwrap();
            assert!(svg.contains("a &lt; b") && svg.contains("second") && svg.contains("token"), "{svg}");
            assert!(svg.contains("#3B82F6") && svg.contains("#E0680F"), "{mark:?}");
        }
    }

    #[test]
    fn colours_follow_the_scheme_of_the_reader() {
        let svg = plot(Mark::Line, &[(1.0, 1.0), (2.0, 100.0)]).svg().unwrap();
        assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("currentColor") && !svg.contains("#010203"));
    }

    #[test]
    fn values_that_have_no_place_are_left_out() {
        let circles = |points: &[(f64, f64)]| plot(Mark::Dots, points).svg().map(|svg| svg.matches("<circle").count());
        assert_eq!(circles(&[(1.0, 1.0), (2.0, 0.0), (f64::NAN, 1.0), (3.0, f64::INFINITY), (4.0, 3.0)]), Some(4));
        assert_eq!(circles(&[(1.0, 0.0)]), None);
        assert_eq!(circles(&[(1.0, 5.0)]), Some(2));
    }
}
