//! Handlers that take arguments and answer JSON: the common kind.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use butterfly::prelude::*;

#[data]
pub struct Pong {
    /// a text that is never the same
    pub randstr: String,
}

/// Show that the service is alive.
#[handler]
fn ping(ctx: &Ctx) -> Pong {
    Pong { randstr: ctx.reqid().to_string() }
}

#[data]
pub struct Hello {
    /// the text that came
    pub str_info: String,
}

/// Say hello: the text that comes is the text that goes.
#[handler]
fn hello(
    /// text to echo
    str_info: String,
) -> Hello {
    Hello { str_info }
}

#[data]
pub struct Report {
    /// whose report it is
    pub of: String,
    /// a number that is another each time that the report is made
    pub number: u32,
}

/// Make a report, which takes long: for 30 seconds the next callers get the same, by an `ETag` without its content.
#[handler(cache = "30s")]
async fn report(#[default("all")] of: String) -> Report {
    static MADE: AtomicU32 = AtomicU32::new(0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    Report { of, number: MADE.fetch_add(1, Ordering::Relaxed) + 1 }
}

/// Add two numbers: a function that knows nothing of the framework.
#[handler]
fn add(a: i64, b: i64) -> Result<i64> {
    a.checked_add(b)
        .ok_or_else(|| Error::business_because("ERR_OVERFLOW", "the sum does not fit into 64 bits"))
}

/// Answer with a business error: statuses of one's own.
#[handler]
fn withdraw(
    /// the amount, in cents
    #[check(range(1..))]
    amount: u64,
    /// what there is, in cents
    #[default(10_000)]
    balance: u64,
) -> Result<u64, Trouble> {
    match balance.checked_sub(amount) {
        Some(0) => Err(Trouble::AccountEmpty),
        Some(left) => Ok(left),
        None => Err(Trouble::TooMuch(balance)),
    }
}

/// What can go wrong with a withdrawal.
#[derive(Stat)]
pub enum Trouble {
    AccountEmpty,
    #[stat("ERR_INSUFFICIENT")]
    TooMuch(u64),
}

/// Note timings: they stand in the access log under `talk:` and in the metrics.
#[handler]
fn timed(
    ctx: &Ctx,
    #[default(1000)]
    #[check(range(1..=1_000_000))]
    rounds: u64,
) -> Result<u64> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    ctx.mark("seed");
    let sum = (0..rounds).fold(seed, |sum, round| sum.rotate_left(5) ^ round);
    ctx.mark("think");
    debug!(rounds, "thought");
    ctx.note(format!("rounds={rounds}"));
    Ok(sum)
}

/// Take long: a plain function holds its thread meanwhile, so one that waits is better `async`.
#[handler]
fn slow(
    /// how long, in milliseconds
    #[default(100)]
    #[check(range(0..=60_000))]
    ms: u64,
) {
    info!("holds a thread for {ms} ms");
    std::thread::sleep(Duration::from_millis(ms));
}

/// Fail in a way that nobody foresaw: the caller learns nothing, the error log everything.
#[handler]
fn fail() -> Result<()> {
    let text = std::fs::read_to_string("/no/such/file/of/the/demo")?;
    info!("a file that should not be there: {text}");
    Ok(())
}

/// Panic: nothing else is taken down.
#[handler]
#[expect(clippy::panic, reason = "what this handler is for")]
fn crash() -> Result<()> {
    panic!("as asked")
}

/// Answer with headers, a cookie and a status of one's own.
#[handler]
fn headers(ctx: &Ctx) -> With<Vec<String>> {
    let seen = ctx.cookie("visits").and_then(|count| count.parse().ok()).unwrap_or(0_u32);
    let visits = seen.saturating_add(1);
    vec![format!("visit {visits}")]
        .with_header("demo", "1.0.1")
        .with_cookie(Cookie::new("visits", visits.to_string()).max_age(3600))
        .with_stat("OK")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_a_function() {
        assert_eq!(hello("meetbill".into()).str_info, "meetbill");
        assert_eq!(add(1, 2).unwrap(), 3);
        assert!(add(i64::MAX, 1).is_err());
    }
}
