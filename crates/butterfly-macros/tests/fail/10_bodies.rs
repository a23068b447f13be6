//! Bodies that cannot be read, or not twice.
#![allow(unused)]

use butterfly::Body;
use butterfly::args::Json;
use butterfly_macros::handler;

#[handler]
fn not_an_upload(body: Body) {}

#[handler(upload)]
fn parsed(list: Json<Vec<u32>>) {}

#[handler]
fn two_documents(a: Json<u32>, Json(b): Json<u32>) {}

#[handler(upload)]
fn two_streams(a: Body, b: Body, c: Json<u32>) {}

#[handler(upload)]
fn from_the_caller(#[check(len(1..5))] body: Body) {}

fn main() {}
