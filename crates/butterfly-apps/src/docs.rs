//! `/docs`: every handler, for people. One page, in the binary, that reads `/openapi.json`; it loads nothing from
//! anywhere else, and its policy forbids that it ever could.

use butterfly_core::reply::Http;
use butterfly_macros::handler;

/// Only this server's own files; no inline code, no frame around the page.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Shows every handler, with a form to try it.
#[handler(http, ops, path = "/docs", methods(GET))]
pub fn page() -> Http {
    guarded("text/html; charset=utf-8", include_str!("docs/page.html"))
}

/// Gives one of the page's files.
#[handler(http, ops, path = "/docs/{file}", methods(GET))]
pub fn file(
    /// its name
    file: String,
) -> Http {
    match file.as_str() {
        "docs.css" => guarded("text/css; charset=utf-8", include_str!("docs/docs.css")),
        "docs.svg" => guarded("image/svg+xml", include_str!("docs/docs.svg")),
        "docs.js" => guarded(SCRIPT, include_str!("docs/docs.js")),
        "dom.js" => guarded(SCRIPT, include_str!("docs/dom.js")),
        "schema.js" => guarded(SCRIPT, include_str!("docs/schema.js")),
        "trial.js" => guarded(SCRIPT, include_str!("docs/trial.js")),
        _ => Http::new(404),
    }
}

fn guarded(media_type: &str, content: &'static str) -> Http {
    Http::bytes(media_type, content)
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        // A new version of the program may bring a new page.
        .header("cache-control", "no-cache")
}
