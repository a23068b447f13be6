//! Checks that are unknown, or of the wrong form, or that nothing or everything passes.
#![allow(unused)]

use butterfly_macros::handler;

#[handler]
fn unknown(
    #[check(max(5))] a: u32,
    #[check()] b: u32,
    #[check] c: u32,
    #[check(1..=100)] d: u32,
    #[check = "x"] e: u32,
) {
}

#[handler]
fn ranges(
    #[check(range(5))] a: u32,
    #[check(range)] b: u32,
    #[check(range(1, 100))] c: u32,
    #[check(range(10..=1))] d: u32,
    #[check(range(1..1))] e: u32,
    #[check(range(..))] f: u32,
    #[check(range("a".."z"))] g: String,
) {
}

#[handler]
fn lengths(#[check(len(5))] a: String, #[check(len)] b: String, #[check(len(-1..5))] c: String) {}

#[handler]
fn patterns(
    #[check(regex("[a-z"))] a: String,
    #[check(regex)] b: String,
    #[check(regex(a - z))] c: String,
    #[check(regex("a", "b"))] d: String,
) {
}

#[handler]
fn types(
    #[check(range(1..5))] a: String,
    #[check(range(-1..5))] b: u32,
    #[check(range(1.5..))] c: Option<i64>,
    #[check(range(1..5))] d: f64,
    #[check(len(1..5))] e: u32,
    #[check(regex("a"))] f: Vec<u32>,
) {
}

fn main() {}
