//! What the messages of the torture run: hardly anything, and the proof that they ran.

use std::time::Duration;

use butterfly::prelude::*;

use crate::chance;
use crate::runs::{Kind, Runs};

/// A message whose sender named it, so that it may be sent twice.
#[handler]
pub async fn named(ctx: &Ctx, n: u64, sent: u64) -> Result<u64> {
    ctx.state::<Runs>()?.note(Kind::Named, n, sent)?;
    rest(n).await;
    Ok(n)
}

/// A message that the engine names.
#[handler]
pub async fn plain(ctx: &Ctx, n: u64, sent: u64) -> Result<u64> {
    ctx.state::<Runs>()?.note(Kind::Plain, n, sent)?;
    rest(n).await;
    Ok(n)
}

/// Some take a moment, and a few take long: a kill that comes at random hits them while they run.
async fn rest(n: u64) {
    let luck = chance::mix(n);
    let pause = match luck % 4000 {
        0 => Duration::from_millis(300),
        1..=250 => Duration::from_micros(luck >> 32 & 0xFFF),
        _ => return,
    };
    tokio::time::sleep(pause).await;
}
