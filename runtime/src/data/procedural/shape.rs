//! The shapes, as outlines in the unit circle.

use std::f32::consts::{FRAC_PI_2, TAU};

use rand_chacha::ChaCha8Rng;
use tiny_skia::{Path, PathBuilder, Rect};

use crate::data::random::below;

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Disc,
    Square,
    Triangle,
    Star,
    Bar,
    Arrow,
    Half,
}

impl Shape {
    /// Draws a shape; `turning` leaves out those that look alike after a third of a turn or less.
    pub fn draw(turning: bool, rng: &mut ChaCha8Rng) -> Self {
        let all: &[Self] = match turning {
            true => &[Self::Bar, Self::Arrow, Self::Half],
            false => &[Self::Disc, Self::Square, Self::Triangle, Self::Star, Self::Half],
        };
        all[below(rng, all.len())]
    }

    /// The outline; `None` never happens, since every outline is finite and not empty.
    pub fn outline(self) -> Option<Path> {
        match self {
            Self::Disc => PathBuilder::from_circle(0.0, 0.0, 0.95),
            Self::Square => Rect::from_ltrb(-0.8, -0.8, 0.8, 0.8).map(PathBuilder::from_rect),
            Self::Bar => Rect::from_ltrb(-0.3, -1.0, 0.3, 1.0).map(PathBuilder::from_rect),
            Self::Triangle => polygon(&corners(3, |_| 1.1)),
            Self::Star => polygon(&corners(10, |i| if i % 2 == 0 { 1.1 } else { 0.5 })),
            Self::Arrow => {
                polygon(&[(0.0, -1.0), (0.75, -0.1), (0.28, -0.1), (0.28, 1.0), (-0.28, 1.0), (-0.28, -0.1), (-0.75, -0.1)])
            }
            Self::Half => {
                let points: Vec<_> = (0..=24).map(|i| i as f32 / 24.0 * TAU / 2.0).collect();
                polygon(&points.iter().map(|a| (a.cos(), 0.4 - a.sin())).collect::<Vec<_>>())
            }
        }
    }
}

fn corners(count: usize, radius: impl Fn(usize) -> f32) -> Vec<(f32, f32)> {
    let angle = |i: usize| i as f32 / count as f32 * TAU - FRAC_PI_2;
    (0..count).map(|i| (radius(i) * angle(i).cos(), radius(i) * angle(i).sin())).collect()
}

fn polygon(points: &[(f32, f32)]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, (x, y)) in points.iter().enumerate() {
        if i == 0 { builder.move_to(*x, *y) } else { builder.line_to(*x, *y) }
    }
    builder.close();
    builder.finish()
}
