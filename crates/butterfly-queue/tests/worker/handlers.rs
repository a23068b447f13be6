//! The handlers that the tests queue. Tests share them, and are told apart by `test`, a name.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use butterfly_core::{Ctx, Error, Result, bail};
use butterfly_macros::handler;
use butterfly_queue::EnqueueExt;
use tokio::sync::watch;

/// What happened in each test, in order.
static EVENTS: LazyLock<Mutex<HashMap<String, watch::Sender<Vec<String>>>>> = LazyLock::new(Mutex::default);

fn events(test: &str) -> watch::Sender<Vec<String>> {
    EVENTS.lock().unwrap().entry(test.to_owned()).or_default().clone()
}

pub(crate) fn happened(test: &str, event: impl Into<String>) {
    events(test).send_modify(|all| all.push(event.into()));
}

pub(crate) fn all(test: &str) -> Vec<String> {
    events(test).borrow().clone()
}

/// Waits until so many events have happened in a test.
pub(crate) async fn until(test: &str, count: usize) -> Vec<String> {
    let mut seen = events(test).subscribe();
    let waited = tokio::time::timeout(Duration::from_secs(30), seen.wait_for(|all| all.len() >= count)).await;
    match waited {
        Ok(all) => all.unwrap().clone(),
        Err(_) => panic!("{test}: expected {count} events, saw {:?}", all(test)),
    }
}

#[handler]
pub(crate) fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[handler]
pub(crate) fn note(test: String, text: String) {
    happened(&test, text);
}

/// Fails as often as it is told, then answers how often it was run.
#[handler(retries = 2, backoff = "10ms")]
pub(crate) fn flaky(test: String, failures: usize) -> Result<usize> {
    happened(&test, "run");
    let runs = all(&test).len();
    if runs <= failures {
        return Err(Error::server("not yet"));
    }
    Ok(runs)
}

#[handler(retries = 5, backoff = "10ms")]
pub(crate) fn hopeless(test: String) -> Result<()> {
    happened(&test, "run");
    Err(butterfly_queue::never_retry("no such card"))
}

#[handler]
pub(crate) fn patient(test: String) -> Result<()> {
    happened(&test, "run");
    if all(&test).len() == 1 {
        return Err(butterfly_queue::retry_after(Duration::from_millis(20), "come again"));
    }
    Ok(())
}

#[handler]
pub(crate) fn panics(test: String) {
    happened(&test, "run");
    panic!("boom");
}

#[handler]
pub(crate) fn refuses(stat: String) -> Result<()> {
    Err(Error::business_because(stat, "no"))
}

#[handler]
pub(crate) fn empty_handed(given: bool) -> Result<u8> {
    if !given {
        bail!("ERR_EMPTY", "nothing was given");
    }
    Ok(1)
}

/// Runs until it is stopped.
#[handler]
pub(crate) async fn endless(ctx: &Ctx, test: String) {
    struct Gone(String);
    impl Drop for Gone {
        fn drop(&mut self) {
            happened(&self.0, "gone");
        }
    }
    let _gone = Gone(test.clone());
    ctx.progress(&42);
    happened(&test, "begun");
    std::future::pending::<()>().await;
}

/// Sends a message itself.
#[handler]
pub(crate) async fn sends(ctx: &Ctx, test: String) -> Result<String> {
    Ok(ctx.enqueue(note::job(test, "child")).await?.id.to_string())
}

#[handler(batch("items", max = 10, wait = "20ms"))]
pub(crate) fn gather(test: String, items: Vec<u32>) -> usize {
    happened(&test, format!("{items:?}"));
    items.len()
}

/// Waits for others longer than any test does.
#[handler(batch("items", max = 10, wait = "1h"))]
pub(crate) fn gather_slowly(items: Vec<u32>) -> usize {
    items.len()
}

/// Says how many of it run at once.
#[handler(concurrency = 2)]
pub(crate) async fn two(test: String) {
    crowd(test).await;
}

#[handler(limit_by = "account", key_concurrency = 1)]
pub(crate) async fn one_each(test: String, account: String) {
    crowd(format!("{test}/{account}")).await;
    happened(&test, account);
}

/// Notes how many were here at once, and stays until others had time to come.
async fn crowd(room: String) {
    static ROOMS: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);
    let here = {
        let mut rooms = ROOMS.lock().unwrap();
        let here = rooms.entry(room.clone()).or_default();
        *here += 1;
        *here
    };
    // Others come if they can: this is the time that they have.
    tokio::time::sleep(Duration::from_millis(5)).await;
    *ROOMS.lock().unwrap().get_mut(&room).unwrap() -= 1;
    happened(&room, here.to_string());
}
