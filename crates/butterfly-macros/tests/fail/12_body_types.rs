//! A type that is named like a body and is none.
#![allow(unused)]

use butterfly_macros::handler;

struct Body;

#[handler(upload)]
fn own(body: Body) {}

fn main() {}
