//! Every form of parameter.

use butterfly::jiff;
use butterfly::prelude::*;

#[data]
#[serde(rename_all = "lowercase")]
pub enum Color {
    Red,
    Green,
    Blue,
}

#[data]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[data]
pub struct Everything {
    pub text: String,
    pub small: u8,
    pub large: i64,
    pub real: f64,
    pub yes: bool,
    pub color: Color,
    pub maybe: Option<u32>,
    pub list: Vec<u32>,
    pub day: Option<jiff::civil::Date>,
    pub at: Option<jiff::Timestamp>,
    pub when: Option<DateTime>,
    pub point: Option<Point>,
    pub blob: Option<Blob>,
}

/// Take one parameter of each form, and give it back.
#[handler]
#[expect(clippy::too_many_arguments, reason = "one of each form")]
fn all(
    /// any text
    text: String,
    /// 0 to 255
    small: u8,
    #[default(-1)] large: i64,
    #[default(0.5)] real: f64,
    /// true, false, 1, 0, yes, no, on, off
    #[default(false)]
    yes: bool,
    #[default(Color::Red)] color: Color,
    /// may be left out
    maybe: Option<u32>,
    /// repeat the name: list=1&list=2
    #[default(vec![])]
    #[check(len(..=10))]
    list: Vec<u32>,
    /// such as 2026-11-20
    day: Option<jiff::civil::Date>,
    /// such as 2026-11-20T08:30:00Z
    at: Option<jiff::Timestamp>,
    /// date and time of day, such as 2026-11-20 08:30:00
    when: Option<DateTime>,
    /// an object; in a query string as JSON
    point: Option<Point>,
    /// bytes, as base64
    blob: Option<Blob>,
) -> Everything {
    Everything { text, small, large, real, yes, color, maybe, list, day, at, when, point, blob }
}

/// Check every argument: ranges, lengths, patterns, a function.
#[handler]
fn checked(
    #[check(range(1..=100))] percent: u32,
    #[check(len(2..=8), regex("^[a-z]+$"))] word: String,
    #[check(even)] pairs: u32,
) -> String {
    format!("{percent}% {word} {pairs}")
}

fn even(value: &u32) -> Result<(), String> {
    if value.is_multiple_of(2) { Ok(()) } else { Err(format!("must be even, got {value}")) }
}

/// The whole JSON body as one value.
#[handler]
fn body(Json(points): Json<Vec<Point>>, #[default(1)] factor: i32) -> Result<Vec<Point>> {
    let times = |value: i32| value.checked_mul(factor).ok_or_else(|| Error::business("ERR_OVERFLOW"));
    points.into_iter().map(|point| Ok(Point { x: times(point.x)?, y: times(point.y)? })).collect()
}

/// Check a password: its value never stands in a log.
#[handler]
fn login(user: String, password: String) -> Result<String> {
    ensure!(password.len() >= 8, "ERR_TOO_SHORT", "at least 8 characters");
    Ok(user)
}
