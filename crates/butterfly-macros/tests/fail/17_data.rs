//! `#[data]` with options, above the wrong thing, and beside derives of its own.
#![allow(unused)]

use butterfly_macros::data;

#[data(rename_all = "lowercase")]
struct Options {
    x: u32,
}

#[data]
fn function() {}

#[data]
#[derive(Debug, Default, Clone)]
struct Twice {
    x: u32,
}

#[data]
union Union {
    x: u32,
}

fn fits(options: &Options, twice: &Twice) -> impl butterfly::serde::Serialize {
    (options.clone(), twice.clone())
}

fn main() {}
