//! Parameters without a name.
#![allow(unused)]

use butterfly::args::Json;
use butterfly_macros::handler;

struct Point {
    x: u32,
}

#[handler]
fn unnamed((a, b): (u32, u32), _: String, Point { x }: Point) {}

#[handler]
fn deep(Json((a, b)): Json<(u32, u32)>) {}

fn main() {}
