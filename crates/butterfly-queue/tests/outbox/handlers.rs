//! What the messages of these tests run.

use butterfly_core::{Ctx, Result};
use butterfly_macros::handler;

#[handler]
pub(crate) async fn hello(ctx: &Ctx, text: String) -> Result<String> {
    Ok(format!("{text} for {}", ctx.username()))
}

#[handler]
pub(crate) fn other(n: u64) -> u64 {
    n
}
