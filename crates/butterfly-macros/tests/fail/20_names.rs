//! Two things of one name.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
fn twice(a: u32, a: u32) {}

mod hello {}

#[handler]
fn hello() {}

fn main() {}
