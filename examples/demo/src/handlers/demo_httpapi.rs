//! Handlers that choose status code and content type themselves.

use butterfly::prelude::*;

/// A page.
#[handler(http)]
fn page(#[default("world")] name: String) -> Http {
    Http::html(format!("<!doctype html><title>Hello</title><h1>Hello, {}!</h1>", escaped(&name)))
}

/// Any status code.
#[handler(http)]
fn status(#[check(range(200..=599))] code: u16) -> Http {
    Http::text(format!("status {code}\n")).status(code)
}

/// Send the caller elsewhere.
#[handler(http)]
fn redirect() -> Redirect {
    Redirect::to("/demo_api/ping")
}

#[data]
pub struct User {
    pub id: u64,
    pub verbose: bool,
}

/// A user, under a path with a parameter.
#[handler(path = "/users/{id}", methods(GET))]
fn user(
    /// the user's number
    #[check(range(1..))]
    id: u64,
    #[default(false)] verbose: bool,
) -> User {
    User { id, verbose }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_markup() {
        assert_eq!(escaped("<b>&\""), "&lt;b&gt;&amp;&quot;");
    }
}
