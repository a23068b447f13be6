//! Every mistake of one function is named in one go, and its callers hear nothing of them.
#![allow(unused)]

use butterfly::{Body, Ctx};
use butterfly_macros::handler;

#[handler(upload, download, path = "users/{id}", methods(get), timeout = "soon", colour = "red")]
async fn everything<T>(
    ctx: Ctx,
    name: &str,
    #[default(1)]
    #[default(2)]
    #[check(range(5))]
    number: u32,
    #[frobnicate] (a, b): (u32, u32),
    body: Body,
    again: Body,
) -> impl Send {
    1
}

fn main() {}
