//! A queue that is out of reach when the process starts: it is tried again until it is there, or can never be used.

use std::time::{Duration, Instant};

use butterfly_queue::{Engine, EngineError};

use crate::say::say;

/// The pauses between attempts: they double from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// The log says so often that the queue is still out of reach; a new reason is said at once.
const REMIND: Duration = Duration::from_secs(60);

/// Tries the engine once: `None` when it is there, and why it is out of reach.
///
/// # Errors
///
/// Why it can never be used.
pub(crate) async fn missing(engine: &dyn Engine) -> Result<Option<EngineError>, EngineError> {
    match engine.check().await {
        Ok(()) => Ok(None),
        Err(away @ EngineError::Unavailable(_)) => Ok(Some(away)),
        Err(never) => Err(never),
    }
}

/// Waits until the engine is there, which is out of reach for this reason.
///
/// # Errors
///
/// Why it can never be used: that may show only when it is reached.
pub(crate) async fn reached(engine: &dyn Engine, why: EngineError) -> Result<(), EngineError> {
    let began = Instant::now();
    let (mut pause, mut said, mut why) = (PAUSES.0, Instant::now(), why);
    tracing::warn!(target: "butterfly::queue", "{why}; it is tried again until it is there");
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
        let Some(now) = missing(engine).await? else { break };
        if now != why || said.elapsed() >= REMIND {
            tracing::warn!(target: "butterfly::queue", "{now}; it is tried again until it is there");
            (said, why) = (Instant::now(), now);
        }
    }
    let took = began.elapsed();
    tracing::info!(target: "butterfly::queue", "the queue is in reach after {:.1} s", took.as_secs_f64());
    say!("the queue is in reach after {:.1} s", took.as_secs_f64());
    Ok(())
}
