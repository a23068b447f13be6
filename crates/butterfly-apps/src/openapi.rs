//! `/openapi.json`: every handler, for machines.

use butterfly_core::reply::Http;
use butterfly_core::{Ctx, Result, openapi};
use butterfly_macros::handler;

/// Describes every handler as an OpenAPI 3.1 document.
#[handler(http, ops, path = "/openapi.json", methods(GET))]
pub fn document(ctx: &Ctx) -> Result<Http> {
    Http::json(&openapi::document(ctx.app()))
}
