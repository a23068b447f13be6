//! `/healthz` and `/readyz`: what a load balancer or an orchestrator asks.

use std::time::Duration;

use butterfly_core::Ctx;
use butterfly_core::reply::Http;
use butterfly_macros::handler;
use butterfly_queue::Queue;

/// Whoever probes gives up after a second, as a rule: the answer has to be there before.
const PATIENCE: Duration = Duration::from_millis(800);

/// Says that the process lives.
#[handler(http, path = "/healthz", methods(GET))]
pub fn healthz() -> Http {
    plain("ok")
}

/// Says whether the process takes calls: 200, or 503 and why not: before the start is done, while it drains, and while
/// the queue is out of reach.
#[handler(http, path = "/readyz", methods(GET))]
pub async fn readyz(ctx: &Ctx) -> Http {
    if !ctx.app().ready() {
        return plain("not ready: it starts or ends").status(503);
    }
    match ctx.app().state.get::<Queue>() {
        // Where the queue is, is not everybody's business: the log says it.
        Some(queue) if queue.in_reach(PATIENCE).await.is_err() => {
            plain("not ready: the queue is out of reach").status(503)
        }
        _ => plain("ok"),
    }
}

/// No cache may answer in the process's place.
fn plain(text: &str) -> Http {
    Http::text(text).header("cache-control", "no-store")
}
