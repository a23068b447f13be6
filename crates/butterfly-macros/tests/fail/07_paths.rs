//! Paths of a wrong form, and paths that do not fit the parameters.
#![allow(unused)]

use butterfly::Ctx;
use butterfly_macros::handler;

#[handler(path = "users")]
fn no_slash() {}

#[handler(path = "/users/")]
fn slash_at_the_end() {}

#[handler(path = "/Users/a b")]
fn letters() {}

#[handler(path = "/user-{id}/{}/{*rest}/{id")]
fn segments(id: u32, rest: String) {}

#[handler(path = "/users/{id}/{id}")]
fn twice(id: u32) {}

#[handler(path = "/users/{id}/{photo}")]
fn missing(number: u32) {}

#[handler(path = "/users/{ctx}")]
fn no_caller(ctx: &Ctx) {}

#[handler(path = "/users/{id}")]
fn always_there(#[default(1)] id: u32) {}

fn main() {}
