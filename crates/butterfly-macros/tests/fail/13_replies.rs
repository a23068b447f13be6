//! Answers that cannot be sent.
#![allow(unused)]

use butterfly_macros::handler;

struct Hello {
    text: String,
}

struct NoError;

#[handler]
fn plain() -> Hello {
    Hello { text: String::new() }
}

#[handler]
async fn fallible() -> butterfly::Result<Hello> {
    Ok(Hello { text: String::new() })
}

#[handler]
fn list() -> Vec<Hello> {
    Vec::new()
}

#[handler]
fn wrong_error() -> Result<u32, NoError> {
    Err(NoError)
}

#[handler]
fn text_error() -> Result<u32, String> {
    Err("no".into())
}

fn main() {}
