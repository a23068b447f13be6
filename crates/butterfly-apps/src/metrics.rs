//! `/metrics`: the process's figures, the queue's and those of caches, for Prometheus.

use std::time::Duration;

use butterfly_core::Ctx;
use butterfly_core::reply::Http;
use butterfly_macros::handler;
use butterfly_model::cache;
use butterfly_queue::Queue;

/// Whoever scrapes does not wait longer for a queue that is out of reach; all other figures are there in any case.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows counts and durations in the Prometheus text format.
#[handler(http, ops, path = "/metrics", methods(GET))]
pub async fn metrics(ctx: &Ctx) -> Http {
    let app = ctx.app();
    let mut figures = app.metrics.prometheus(&app.registry, app.since.elapsed());
    if let Some(queue) = app.state.get::<Queue>() {
        figures.push_str(&queue.prometheus(PATIENCE).await);
    }
    figures.push_str(&cache::prometheus());
    Http::bytes("text/plain; version=0.0.4; charset=utf-8", figures)
}
