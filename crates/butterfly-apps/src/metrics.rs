//! `/metrics`: the process's figures for Prometheus.

use butterfly_core::Ctx;
use butterfly_core::reply::Http;
use butterfly_macros::handler;

/// Shows counts and durations in the Prometheus text format.
#[handler(http, ops, path = "/metrics", methods(GET))]
pub fn metrics(ctx: &Ctx) -> Http {
    let app = ctx.app();
    let figures = app.metrics.prometheus(&app.registry, app.since.elapsed());
    Http::bytes("text/plain; version=0.0.4; charset=utf-8", figures)
}
