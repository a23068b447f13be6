//! `#[handler]` above what is no function.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
struct Struct;

#[handler]
enum Enum {}

#[handler]
impl Struct {
    fn method(&self) {}
}

#[handler]
trait Trait {
    #[handler]
    fn without_body(&self);
}

#[handler]
mod module {}

#[handler]
const CONSTANT: u32 = 1;

fn main() {}
