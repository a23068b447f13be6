//! Parameters of types that no caller could send.
#![allow(unused)]

use std::collections::HashMap;
use std::time::Instant;

use butterfly_macros::handler;

struct Point {
    x: u32,
}

#[derive(butterfly::serde::Deserialize, butterfly::serde::Serialize)]
#[serde(crate = "butterfly::serde")]
struct NoSchema {
    x: u32,
}

#[handler]
fn plain(id: u32, point: Point) {}

#[handler]
async fn inside(points: Vec<Point>, maybe: Option<Point>) {}

#[handler]
fn without_schema(value: NoSchema) {}

#[handler]
fn of_std(map: HashMap<String, Instant>) {}

fn main() {}
