//! What a file's header says, from `ffprobe`.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Ffmpeg, input, reason};
use crate::data::DataError;
use crate::data::media::MediaInfo;

/// Reads the header of the first video stream (cover pictures do not count). `frames` is 0 where the header does not say.
pub(crate) fn probe(_: &Ffmpeg, path: &Path) -> Result<MediaInfo, DataError> {
    let json = ffprobe(path, &["-show_streams", "-show_format"])?;
    let Some(stream) = json["streams"].get(0) else {
        return Err(DataError::decode(path, "it has no video stream"));
    };
    // the mean, and the lowest rate that has a place for every frame
    let (mean, base) = (ratio(&stream["avg_frame_rate"]), ratio(&stream["r_frame_rate"]));
    let duration = number(&stream["duration"]).or_else(|| number(&json["format"]["duration"]));
    let (mut width, mut height) = (size(&stream["width"]), size(&stream["height"]));
    // ffmpeg turns such frames upright, so this is the size that comes out
    if rotation(stream).rem_euclid(180) == 90 {
        std::mem::swap(&mut width, &mut height);
    }
    Ok(MediaInfo {
        frames: number(&stream["nb_frames"]).unwrap_or(0.0) as usize,
        width,
        height,
        fps: mean.or(base),
        constant_rate: mean.is_some() && mean == base,
        duration,
        codec: stream["codec_name"].as_str().unwrap_or("unknown").to_owned(),
    })
}

/// Counts the packets of the first video stream without decoding them: the number of frames for files whose header has none.
pub(crate) fn count_packets(_: &Ffmpeg, path: &Path) -> Result<usize, DataError> {
    let json = ffprobe(path, &["-count_packets", "-show_entries", "stream=nb_read_packets"])?;
    Ok(number(&json["streams"][0]["nb_read_packets"]).unwrap_or(0.0) as usize)
}

fn ffprobe(path: &Path, what: &[&str]) -> Result<Value, DataError> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file,pipe", "-select_streams", "V:0", "-of", "json"])
        .args(what)
        .arg(input(path))
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DataError::io(Path::new("ffprobe"), source))?;
    if !output.status.success() {
        return Err(DataError::decode(path, reason(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| DataError::decode(path, format!("ffprobe's answer is not JSON: {e}")))
}

/// Degrees, from the display matrix or, in old versions, from a tag.
fn rotation(stream: &Value) -> i64 {
    let matrices = stream["side_data_list"].as_array().into_iter().flatten();
    let matrix = matrices.filter_map(|data| number(&data["rotation"])).next();
    matrix.or_else(|| number(&stream["tags"]["rotate"])).unwrap_or(0.0).round() as i64
}

fn size(value: &Value) -> usize {
    number(value).unwrap_or(0.0) as usize
}

/// ffprobe writes some numbers as numbers and some as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|n| n.is_finite())
}

fn ratio(value: &Value) -> Option<f64> {
    let (over, under) = value.as_str()?.split_once('/')?;
    let (over, under): (f64, f64) = (over.parse().ok()?, under.parse().ok()?);
    (over > 0.0 && under > 0.0).then(|| over / under)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rates_and_rotations_are_read_in_every_spelling() {
        assert_eq!(ratio(&json!("25/1")), Some(25.0));
        assert_eq!(ratio(&json!("0/0")), None);
        assert_eq!(rotation(&json!({"side_data_list": [{"side_data_type": "x"}, {"rotation": -90}]})), -90);
        assert_eq!(rotation(&json!({"tags": {"rotate": "270"}})), 270);
        assert_eq!(rotation(&json!({})), 0);
    }
}
