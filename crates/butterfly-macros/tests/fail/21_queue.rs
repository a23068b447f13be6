//! Options for the queue that are of the wrong form, or do not fit the parameters.
#![allow(unused)]

use butterfly::Body;
use butterfly_macros::handler;

#[handler(retries = "3", backoff = 1, rate = 30, concurrency = 0, limit_by = account_id)]
fn types_of_values() {}

#[handler(retries, rate("30/s"), batch = "items")]
fn forms() {}

#[handler(rate = "30", backoff = "1")]
fn texts() {}

#[handler(rate = "0/s", backoff = "2h")]
fn bounds() {}

#[handler(key_rate = "5/s", key_concurrency = 1)]
fn keys_of_nothing(account_id: u64) {}

#[handler(limit_by = "acount_id")]
fn misspelt(account_id: u64, text: String) {}

#[handler(limit_by = "id")]
fn no_parameters() {}

#[handler(batch("items", max = 100))]
fn half_a_batch(items: Vec<u32>) {}

#[handler(batch("items", max = 0, wait = "soon"))]
fn batch_of_none(items: Vec<u32>) {}

#[handler(batch("items", max = 100, wait = "50ms"))]
fn batch_of_one(items: u32) {}

#[handler(batch("item", max = 100, wait = "50ms"))]
fn batch_misspelt(items: Vec<u32>) {}

#[handler(limit_by = "items", batch("items", max = 100, wait = "50ms"))]
fn limited_by_its_list(items: Vec<u32>) {}

#[handler(upload, retries = 3)]
fn reads_the_body(body: Body) {}

fn main() {}
