//! Who may call what.

use crate::handler::Handler;
use crate::{Ctx, Door, Fault, Result};

/// Says whether the caller may make this call.
///
/// Operators' handlers answer callers on this machine, and others that bring the token `ops.token`. A call that a
/// proxy forwarded is not from this machine, whatever its peer address says. What comes from the queue was permitted
/// when it was taken in: who takes in a message asks here.
///
/// # Errors
///
/// [`Fault::Forbidden`] with what to do.
pub fn permit(handler: &Handler, ctx: &Ctx) -> Result<()> {
    let inside = matches!(ctx.door(), Door::Cli | Door::Queue);
    if !handler.options.ops || inside || from_here(ctx) || brings_token(ctx) {
        return Ok(());
    }
    let advice = "only from this machine, or with the header Authorization: Bearer <ops.token>";
    Err(Fault::Forbidden(advice.into()).into())
}

/// True for a caller on this machine that no proxy forwarded and no foreign web page sent.
fn from_here(ctx: &Ctx) -> bool {
    let forwarded =
        ["x-forwarded-for", "x-real-ip", "forwarded"].iter().any(|name| ctx.header(name).is_some());
    !forwarded && ctx.ip().is_some_and(|ip| ip.to_canonical().is_loopback()) && !from_foreign_page(ctx)
}

/// A browser on this machine calls from here too, whatever page is open in it. What it says of the page tells:
/// `Sec-Fetch-Site`, `Origin`, and, where a foreign name was made to point at this machine, `Host`.
fn from_foreign_page(ctx: &Ctx) -> bool {
    let cross = ctx.header("sec-fetch-site").is_some_and(|site| !matches!(&*site, "same-origin" | "none"));
    let host = ctx.header("host").unwrap_or_default();
    let origin = ctx.header("origin");
    let foreign = origin.is_some_and(|origin| origin.split_once("://").is_none_or(|(_, name)| name != host));
    cross || foreign || !names_this_machine(&host)
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

fn brings_token(ctx: &Ctx) -> bool {
    let Some(token) = ctx.app().ops_token.as_deref() else { return false };
    let given = ctx.header("authorization");
    given.as_deref().and_then(|line| line.strip_prefix("Bearer ")).is_some_and(|given| same(given, token))
}

/// Compares in a time that does not tell how much of the secret was right.
fn same(given: &str, secret: &str) -> bool {
    let difference = given.bytes().zip(secret.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == secret.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(headers: &[(&str, &str)]) -> bool {
        let mut head = crate::head::Head::new(http::Method::GET, "/");
        headers.iter().for_each(|(name, value)| head.push(name, value.as_bytes()));
        let mut ctx = Ctx::new(Door::Http);
        ctx.set_ip("127.0.0.1".parse().ok());
        ctx.replace_head(Some(Box::new(head)));
        from_here(&ctx)
    }

    #[test]
    fn a_page_of_somebody_else_is_not_from_here() {
        let host = ("host", "127.0.0.1:8585");
        assert!(here(&[host]) && here(&[("host", "localhost")]) && here(&[("host", "[::1]:8585")]));
        assert!(here(&[host, ("origin", "http://127.0.0.1:8585"), ("sec-fetch-site", "same-origin")]));
        assert!(
            !here(&[host, ("sec-fetch-site", "cross-site")])
                && !here(&[host, ("sec-fetch-site", "same-site")])
        );
        assert!(!here(&[host, ("origin", "http://evil.example")]) && !here(&[host, ("origin", "null")]));
        assert!(!here(&[("host", "evil.example:8585")]) && !here(&[host, ("x-forwarded-for", "1.2.3.4")]));
    }

    #[test]
    fn what_comes_from_the_queue_was_permitted_before() {
        let operators = Handler {
            path: "/ops",
            doc: "",
            kind: crate::handler::Kind::Api,
            params: &[],
            options: crate::handler::Options { ops: true, ..Default::default() },
            source: crate::handler::Source { file: "", root: "", module: "", line: 0 },
            reply: |_| None,
            run: |_, _| Err(Fault::NotFound.into()),
        };
        assert!(permit(&operators, &Ctx::new(Door::Queue)).is_ok());
        assert!(permit(&operators, &Ctx::new(Door::Http)).is_err());
    }

    #[test]
    fn secrets_compare_whole() {
        assert!(same("abc", "abc"));
        assert!(!same("abd", "abc") && !same("ab", "abc") && !same("abcd", "abc"));
    }
}
