//! Redis models, containers and services, on one server and on a cluster, which `.ci/redis` starts:
//! `bash .ci/redis cargo test -p butterfly-model --features live --test redis`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod connection;
mod containers;
mod graph;
mod hostile;
mod models;
mod proxy;
mod services;
mod streams;
mod texts;
#[cfg(feature = "redis-tls")]
mod tls;
mod unique;

#[path = "../hostile/mod.rs"]
mod hostile_values;

use butterfly_model::redis::Redis;

fn url(form: &str) -> String {
    let name = format!("QUEUE_TEST_REDIS{form}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: bash .ci/redis COMMAND sets it"))
}

/// An address with a prefix that nobody else uses.
fn alone(form: &str) -> String {
    let url = url(form);
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}prefix=t{}", butterfly_core::ReqId::new())
}

/// Runs a test on one server and on a cluster, each with a prefix of its own.
async fn on_both(test: impl AsyncFn(Redis)) {
    for form in ["", "_CLUSTER"] {
        test(Redis::open(&alone(form)).unwrap()).await;
    }
}

/// A key of this test alone; all keys of one Redis handle have one slot.
fn key(redis: &Redis, name: &str) -> String {
    format!("{{{}}}{name}", redis.options().prefix)
}
