//! `Prefer: respond-async` (RFC 7240): the call is taken in, and made later by the queue.

use butterfly_core::args::Input;
use butterfly_core::{Ctx, Error, Handler, Reply, Result, Stat, defer};
use http::{HeaderName, HeaderValue, header};
use serde_json::json;

const RESPOND_ASYNC: &str = "respond-async";

/// True when the caller would rather not wait for the answer.
pub(crate) fn async_answer(ctx: &Ctx) -> bool {
    ctx.head().is_some_and(|head| {
        head.headers()
            .filter(|(name, _)| name.len() == 6 && name.eq_ignore_ascii_case("prefer"))
            .any(|(_, value)| names_async(value))
    })
}

/// Hands the call to the queue, and says under which id its answer is found.
pub(crate) async fn accept(handler: &'static Handler, ctx: &Ctx, input: Input<'_>) -> Result<Reply> {
    let id = defer(handler, ctx, input).await?;
    let place = HeaderValue::try_from(format!("/baichuan/msg_info?msg_id={id}")).map_err(Error::server)?;
    let document = json!({ "stat": Stat::OK.as_str(), "msg_id": id }).to_string();
    let mut reply = Reply::json(Stat::OK, document.into_bytes());
    reply.status = Some(202);
    reply.headers = vec![
        (HeaderName::from_static("preference-applied"), HeaderValue::from_static(RESPOND_ASYNC)),
        (header::LOCATION, place),
    ];
    Ok(reply)
}

/// Looks for the preference in a list such as `wait=10, respond-async; x="a, b"`.
fn names_async(value: &[u8]) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    value
        .split(|byte| {
            let parts = *byte == b',' && !quoted;
            (quoted, escaped) = match byte {
                b'"' if !escaped => (!quoted, false),
                b'\\' if quoted && !escaped => (true, true),
                _ => (quoted, false),
            };
            parts
        })
        .any(is_async)
}

/// An empty value, `respond-async=""`, is none; a preference's own parameters do not matter here.
fn is_async(preference: &[u8]) -> bool {
    let mut parts =
        preference.splitn(2, |byte| *byte == b';').next().unwrap_or_default().splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default().trim_ascii();
    let value = parts.next().unwrap_or_default().trim_ascii();
    name.eq_ignore_ascii_case(RESPOND_ASYNC.as_bytes()) && (value.is_empty() || value == b"\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_in_a_list_in_any_case() {
        for value in [
            "respond-async",
            "Respond-Async",
            "wait=10, respond-async",
            "respond-async;x=y, wait=10",
            " respond-async = \"\" ,return=minimal",
            "a=\"b, \\\" c\",respond-async",
        ] {
            assert!(names_async(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_none() {
        for value in [
            "",
            "respond-asynchronously",
            "respond-async=no",
            "x=respond-async",
            "return=minimal; respond-async",
            "a=\"b, respond-async, c\"",
            "a=\"b\\\", respond-async",
        ] {
            assert!(!names_async(value.as_bytes()), "{value}");
        }
        assert!(!names_async(b"\xff,\"\xfe"));
    }
}
