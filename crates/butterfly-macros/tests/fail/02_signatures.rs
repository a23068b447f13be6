//! Words and parameters that a handler's signature may not have.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
const fn constant() {}

#[handler]
unsafe fn dangerous() {}

#[handler]
extern "C" fn foreign() {}

#[handler]
fn generic<T: Send, const N: usize>(value: Vec<T>) {}

#[handler]
fn str(text: String) {}

struct Counter;

impl Counter {
    #[handler]
    fn method(&self, id: u32) {}
}

fn main() {}
