//! One clip: a background, a shape and its motion.

use rand_chacha::ChaCha8Rng;
use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, Pixmap, Point, RadialGradient, Shader, SpreadMode, Transform,
};

use super::motion::{Motion, Path};
use super::shape::Shape;
use crate::clip::ClipShape;
use crate::data::random::{below, unit};

/// Hues of the palette, in degrees: red, orange, yellow, green, cyan, blue, violet, pink.
const HUES: [f32; 8] = [2.0, 28.0, 52.0, 125.0, 182.0, 222.0, 272.0, 325.0];

/// How the background is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Background {
    Plain,
    Across,
    Down,
    Diagonal,
    Radial,
}

/// Everything drawn for a clip.
#[derive(Debug)]
pub(super) struct Scene {
    path: Path,
    shape: Shape,
    colour: Color,
    background: Background,
    near: Color,
    far: Color,
}

impl Scene {
    /// Draws the scene; the order of the draws is part of the data set's version.
    pub fn draw(motion: Motion, rng: &mut ChaCha8Rng) -> Self {
        let path = Path::draw(motion, rng);
        let shape = Shape::draw(motion.turns(), rng);
        let hue = HUES[below(rng, HUES.len())] + unit(rng, -6.0, 6.0);
        let colour = hsv(hue, unit(rng, 0.8, 1.0), unit(rng, 0.85, 1.0));
        let kinds = [Background::Plain, Background::Across, Background::Down, Background::Diagonal, Background::Radial];
        let background = kinds[below(rng, kinds.len())];
        // pale or dark, whichever stands off better; its own hue is weak, so the shape is what is seen
        let ground = unit(rng, 0.0, 360.0);
        let saturation = unit(rng, 0.05, 0.25);
        let (near, far) = match luminance(colour) > 0.45 {
            true => (unit(rng, 0.05, 0.12), unit(rng, 0.16, 0.26)),
            false => (unit(rng, 0.80, 0.86), unit(rng, 0.92, 1.0)),
        };
        let pale = if near > 0.5 { 0.5 } else { 1.0 };
        let (near, far) = (hsv(ground, saturation * pale, near), hsv(ground + 20.0, saturation * pale, far));
        let (near, far) = if below(rng, 2) == 0 { (near, far) } else { (far, near) };
        Self { path, shape, colour, background, near, far }
    }

    /// Paints every frame.
    ///
    /// # Shapes
    /// Returns `[frames, height, width, 3]`.
    pub fn render(&self, shape: ClipShape) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(shape.bytes());
        let Some(ground) = self.ground(shape) else { return vec![0; shape.bytes()] };
        let outline = self.shape.outline();
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color(self.colour);
        let (width, height) = (shape.width as f32, shape.height as f32);
        let last = (shape.frames - 1).max(1) as f32;
        for frame in 0..shape.frames {
            let pose = self.path.at(frame as f32 / last);
            let mut canvas = ground.clone();
            let size = pose.radius * width.min(height);
            let place = Transform::from_translate(pose.x * width, pose.y * height)
                .pre_rotate(pose.angle.to_degrees())
                .pre_scale(size, size);
            if let Some(outline) = &outline {
                canvas.fill_path(outline, &paint, FillRule::Winding, place, None);
            }
            // opaque everywhere, so premultiplied values are the colours
            pixels.extend(canvas.data().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]));
        }
        pixels
    }

    fn ground(&self, shape: ClipShape) -> Option<Pixmap> {
        let (width, height) = (shape.width as f32, shape.height as f32);
        let mut canvas = Pixmap::new(shape.width as u32, shape.height as u32)?;
        canvas.fill(self.near);
        let stops = vec![GradientStop::new(0.0, self.near), GradientStop::new(1.0, self.far)];
        let (pad, here) = (SpreadMode::Pad, Transform::identity());
        let line = |x, y| LinearGradient::new(Point::zero(), Point::from_xy(x, y), stops.clone(), pad, here);
        let middle = Point::from_xy(width / 2.0, height / 2.0);
        let shader: Option<Shader<'static>> = match self.background {
            Background::Plain => None,
            Background::Across => line(width, 0.0),
            Background::Down => line(0.0, height),
            Background::Diagonal => line(width, height),
            Background::Radial => RadialGradient::new(middle, 0.0, middle, 0.6 * width.max(height), stops.clone(), pad, here),
        };
        if let Some(shader) = shader {
            let paint = Paint { shader, ..Paint::default() };
            canvas.fill_rect(tiny_skia::Rect::from_xywh(0.0, 0.0, width, height)?, &paint, here, None);
        }
        Some(canvas)
    }
}

fn luminance(colour: Color) -> f32 {
    0.299 * colour.red() + 0.587 * colour.green() + 0.114 * colour.blue()
}

fn hsv(hue: f32, saturation: f32, value: f32) -> Color {
    let channel = |n: f32| {
        let k = (n + hue / 60.0).rem_euclid(6.0);
        value * (1.0 - saturation * k.min(4.0 - k).clamp(0.0, 1.0))
    };
    Color::from_rgba(channel(5.0), channel(3.0), channel(1.0), 1.0).unwrap_or(Color::WHITE)
}
