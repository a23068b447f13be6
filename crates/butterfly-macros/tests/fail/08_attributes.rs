//! Attributes on parameters that are unknown, twice, or of the wrong form.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
fn unknown(#[defualt(1)] a: u32, #[serde(rename = "x")] b: u32) {}

#[handler]
fn defaults(
    #[default(1)]
    #[default(2)]
    a: u32,
    #[default] b: u32,
    #[default = 1] c: u32,
    #[default(1, 2)] d: u32,
) {
}

#[handler]
fn others(#[secret(true)] a: String, #[cfg(unix)] b: u32) {}

fn main() {}
