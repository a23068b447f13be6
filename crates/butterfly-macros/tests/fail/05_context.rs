//! The context, taken wrongly.
#![allow(unused)]

use butterfly::Ctx;
use butterfly_macros::handler;

#[handler]
fn by_value(ctx: Ctx) {}

#[handler]
fn mutable(ctx: &mut Ctx) {}

#[handler]
fn twice(ctx: &Ctx, id: u32, again: &Ctx) {}

#[handler]
fn from_the_caller(#[default(1)] ctx: &Ctx) {}

fn main() {}
