//! Defaults, bounds and check functions of another type than the parameter.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
fn defaults(#[default("1")] a: u32, #[default(1)] b: Option<u32>, #[default(unknown())] c: u32) {}

fn even(value: &u32) -> bool {
    value % 2 == 0
}

fn short(value: &str) -> Result<(), String> {
    if value.len() < 5 { Ok(()) } else { Err("must be short".into()) }
}

#[handler]
fn functions(
    #[check(even)] a: u32,
    #[check(short)] b: u32,
    #[check(missing)] c: u32,
) {
}

#[butterfly_macros::data]
struct Own {
    x: u32,
}

#[handler]
fn own(#[check(len(1..5))] a: Own, #[check(regex("a"))] b: Own) {}

fn main() {}
