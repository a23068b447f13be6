//! `/healthz` and `/readyz`: what a load balancer or an orchestrator asks.

use butterfly_core::Ctx;
use butterfly_core::reply::Http;
use butterfly_macros::handler;

/// Says that the process lives.
#[handler(http, path = "/healthz", methods(GET))]
pub fn healthz() -> Http {
    plain("ok")
}

/// Says whether the process takes calls: 200, or 503 before the start is done (it may wait for the queue) and while it
/// drains.
#[handler(http, path = "/readyz", methods(GET))]
pub fn readyz(ctx: &Ctx) -> Http {
    if ctx.app().ready() { plain("ok") } else { plain("not ready").status(503) }
}

/// No cache may answer in the process's place.
fn plain(text: &str) -> Http {
    Http::text(text).header("cache-control", "no-store")
}
