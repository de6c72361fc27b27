//! The motions, which are the classes.

use std::f32::consts::{PI, TAU};
use std::fmt;

use rand_chacha::ChaCha8Rng;

use crate::data::random::unit;

/// What the shape does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// To the left.
    MoveLeft,
    /// To the right.
    MoveRight,
    /// Upwards.
    MoveUp,
    /// Downwards.
    MoveDown,
    /// From the upper left to the lower right.
    Descend,
    /// From the lower left to the upper right.
    Ascend,
    /// Clockwise in place.
    TurnClockwise,
    /// Counter-clockwise in place.
    TurnCounterClockwise,
    /// Growing in place.
    Grow,
    /// Shrinking in place.
    Shrink,
    /// Bouncing twice on the floor.
    Bounce,
    /// Along a circle.
    Orbit,
}

impl Motion {
    /// Every motion, in label order.
    pub const ALL: [Self; 12] = [
        Self::MoveLeft,
        Self::MoveRight,
        Self::MoveUp,
        Self::MoveDown,
        Self::Descend,
        Self::Ascend,
        Self::TurnClockwise,
        Self::TurnCounterClockwise,
        Self::Grow,
        Self::Shrink,
        Self::Bounce,
        Self::Orbit,
    ];

    /// Whether the shape must show how it is turned.
    pub(super) fn turns(self) -> bool {
        matches!(self, Self::TurnClockwise | Self::TurnCounterClockwise)
    }
}

impl fmt::Display for Motion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MoveLeft => "move-left",
            Self::MoveRight => "move-right",
            Self::MoveUp => "move-up",
            Self::MoveDown => "move-down",
            Self::Descend => "descend",
            Self::Ascend => "ascend",
            Self::TurnClockwise => "turn-clockwise",
            Self::TurnCounterClockwise => "turn-counter-clockwise",
            Self::Grow => "grow",
            Self::Shrink => "shrink",
            Self::Bounce => "bounce",
            Self::Orbit => "orbit",
        })
    }
}

/// Place of the shape at one moment: x and y in 0..1 of width and height (y down), radius in parts of the shorter side, angle in
/// radians clockwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    pub x: f32,
    pub y: f32,
    pub radius: f32,
    pub angle: f32,
}

/// A motion with its numbers drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    motion: Motion,
    /// Pose at rest; the middle of a straight way or of a circle.
    rest: Pose,
    /// Length of the way in parts of a side, angle turned, or factor of the size.
    reach: f32,
    /// Where an orbit begins, in radians.
    phase: f32,
}

impl Path {
    pub fn draw(motion: Motion, rng: &mut ChaCha8Rng) -> Self {
        use Motion::*;
        let radius = match motion {
            TurnClockwise | TurnCounterClockwise => unit(rng, 0.24, 0.34),
            Grow | Shrink => unit(rng, 0.30, 0.40),
            Orbit => unit(rng, 0.17, 0.22),
            _ => unit(rng, 0.20, 0.27),
        };
        let reach = match motion {
            TurnClockwise | TurnCounterClockwise => unit(rng, 0.55 * PI, 1.1 * PI),
            Grow | Shrink => unit(rng, 0.25, 0.40),
            Bounce => unit(rng, 0.35, 0.50),
            Orbit => unit(rng, 0.22, 0.30),
            _ => unit(rng, 0.40, 0.62),
        };
        let phase = unit(rng, 0.0, TAU);
        // the shape stays inside: the way along an axis leaves no room to shift along it, across it there is some
        let along = ((1.0 - reach) / 2.0 - 0.8 * radius).max(0.0);
        let (shift_x, shift_y) = match motion {
            MoveLeft | MoveRight => (along, 0.28),
            MoveUp | MoveDown => (0.28, along),
            Descend | Ascend => (along, along),
            Bounce => (0.25, 0.02),
            Orbit => (0.06, 0.06),
            _ => (0.12, 0.12),
        };
        let (x, y) = (0.5 + unit(rng, -shift_x, shift_x), 0.5 + unit(rng, -shift_y, shift_y));
        Self { motion, rest: Pose { x, y, radius, angle: unit(rng, -0.2, 0.2) }, reach, phase }
    }

    /// The pose at time `t`, from 0 (first frame) to 1 (last frame).
    pub fn at(&self, t: f32) -> Pose {
        use Motion::*;
        let mut pose = self.rest;
        let way = self.reach * (t - 0.5);
        match self.motion {
            MoveLeft => pose.x -= way,
            MoveRight => pose.x += way,
            MoveUp => pose.y -= way,
            MoveDown => pose.y += way,
            Descend => (pose.x, pose.y) = (pose.x + way, pose.y + way),
            Ascend => (pose.x, pose.y) = (pose.x + way, pose.y - way),
            TurnClockwise => pose.angle += self.reach * t,
            TurnCounterClockwise => pose.angle -= self.reach * t,
            Grow => pose.radius *= self.reach + (1.0 - self.reach) * t,
            Shrink => pose.radius *= 1.0 - (1.0 - self.reach) * t,
            // begins and ends on the floor, which lies below the middle
            Bounce => pose.y += 0.27 - self.reach * (TAU * t).sin().abs(),
            Orbit => {
                let angle = self.phase + TAU * 0.9 * t;
                (pose.x, pose.y) = (pose.x + self.reach * angle.cos(), pose.y + self.reach * angle.sin());
            }
        }
        pose
    }
}
