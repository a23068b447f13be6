//! Calls that are made later: every handler is a topic of the queue, and `handler::job(..)` is a call of it to be queued.
//!
//! `curl ".../demo_async/order?tea=green&cups=2"` answers with a `msg_id`; what became of it:
//! `curl ".../baichuan/msg_info?msg_id=…"`.

use std::time::Duration;

use butterfly::jiff::Timestamp;
use butterfly::prelude::*;
use butterfly::retry_after;

#[data]
pub struct Ordered {
    /// the message under which the tea is brewed
    pub msg_id: String,
}

/// Order tea: it is brewed later, by any process whose worker serves `/demo_async/brew`.
#[handler]
async fn order(
    ctx: &Ctx,
    tea: String,
    #[default(1)]
    #[check(range(1..=20))]
    cups: u32,
) -> Result<Ordered> {
    let receipt = ctx.enqueue(brew::job(tea, cups, 100)).await?;
    Ok(Ordered { msg_id: receipt.id.to_string() })
}

/// Order tea and wait for it: a call over the queue, with its answer.
#[handler]
async fn order_and_wait(
    ctx: &Ctx,
    tea: String,
    #[default(1)]
    #[check(range(1..=20))]
    cups: u32,
) -> Result<String> {
    ctx.enqueue(brew::job(tea, cups, 10)).priority(9).wait().await
}

/// Order tea for later. Ordering the same tea twice is one order while the first one waits.
#[handler]
async fn order_for_later(
    ctx: &Ctx,
    tea: String,
    /// seconds from now
    #[check(range(0..=86_400))]
    after: u64,
) -> Result<Ordered> {
    let order = ctx.enqueue(brew::job(tea.as_str(), 1, 10)).unique(tea);
    let receipt = order.delay(Duration::from_secs(after)).await?;
    Ok(Ordered { msg_id: receipt.id.to_string() })
}

/// Brew tea, cup by cup, and say how far it is: `progress` in `msg_info`.
#[handler(concurrency = 100)]
async fn brew(
    ctx: &Ctx,
    tea: String,
    #[check(range(1..=20))] cups: u32,
    /// how long a cup takes, in milliseconds
    #[default(100)]
    #[check(range(0..=60_000))]
    ms: u64,
) -> String {
    for cup in 0..cups {
        ctx.progress(&format!("{cup} of {cups} cups"));
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    format!("{cups} cups of {tea}")
}

/// Light a fire that takes at the third try: an error is tried again, after 100 ms, 200 ms, 400 ms.
#[handler(retries = 3, backoff = "100ms")]
fn light(ctx: &Ctx) -> Result<u32> {
    match ctx.attempt() {
        attempt @ ..3 => Err(Error::server(format!("the match went out, number {attempt}"))),
        attempt => Ok(attempt),
    }
}

/// Serve tea that has steeped: before its time the handler asks to be run again, which costs no retry.
#[handler]
fn steep(
    /// such as 2026-11-20T08:30:00Z
    until: Timestamp,
) -> Result<String> {
    let left = until.duration_since(Timestamp::now());
    if left.is_positive() {
        return Err(retry_after(left.unsigned_abs(), "it steeps"));
    }
    Ok("served".into())
}

/// Wash cups: those of up to 100 messages at once, and a cup waits for others no longer than 50 ms.
#[handler(batch("cups", max = 100, wait = "50ms"))]
fn wash(cups: Vec<String>) -> usize {
    cups.len()
}
