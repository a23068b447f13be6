//! `impl Trait` where the type must be known.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
fn takes(name: impl Into<String>, list: Vec<impl Send>) {}

#[handler]
fn gives() -> impl Send {
    1
}

#[handler]
async fn gives_inside() -> Result<impl Send, std::io::Error> {
    Ok(1)
}

fn main() {}
