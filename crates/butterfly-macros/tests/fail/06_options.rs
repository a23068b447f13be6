//! Options of `#[handler(..)]` that are unknown, twice, or of the wrong form.
#![allow(unused)]

use butterfly_macros::handler;

#[handler(uplaod)]
fn kind() {}

#[handler(upload, download)]
fn two_kinds() {}

#[handler(ops, timeout = "5s", ops, path = "/a", path = "/b")]
fn twice() {}

#[handler(upload = true, path, timeout, methods = "GET")]
fn forms() {}

#[handler(path = 5, timeout = 5)]
fn no_text() {}

#[handler(timeout = "5")]
fn no_unit() {}

#[handler(methods(get, FETCH))]
fn unknown_methods() {}

#[handler(methods(GET, GET))]
fn method_twice() {}

#[handler(methods())]
fn no_method() {}

#[handler(methods("GET"))]
fn quoted_method() {}

#[handler("/users")]
fn text_alone() {}

#[handler(cache)]
fn cache_without_a_time() {}

#[handler(cache = "30")]
fn cache_without_a_unit() {}

#[handler(download, cache = "30s")]
fn cached_file() {}

#[handler(methods(POST), cache = "30s")]
fn cached_post() {}

fn main() {}
