//! Futures that hold what cannot go to another thread.
#![allow(unused)]

use std::rc::Rc;

use butterfly_macros::handler;

async fn wait() {}

#[handler]
async fn counts(text: String) -> usize {
    let shared = Rc::new(text);
    wait().await;
    shared.len()
}

fn main() {}
