//! From a handler's result to what goes on the wire.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use butterfly_core::access_log::Seconds;
use butterfly_core::handler::Kind;
use butterfly_core::reply::Content;
use butterfly_core::{BadParams, Error, Fault, Reply, ReqId, Stat, current};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use smallvec::SmallVec;

use crate::options::{ErrorStyle, Options, StatAdaptor};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An answer in HTTP's terms: status, headers and content are decided, nothing is sent yet.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) stat: Stat,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) media_type: Option<&'static str>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
}

impl Answer {
    pub(crate) fn of(kind: Kind, result: Result<Reply, Error>, options: &Options, reqid: ReqId) -> Self {
        let mut answer = match result {
            Ok(reply) => Self::success(reply),
            Err(error) => Self::failure(kind, &error, options, reqid),
        };
        if let (Some(adaptor), Content::Json(document)) = (&options.stat_adaptor, &mut answer.content) {
            adapt(document, &answer.stat, adaptor);
        }
        answer
    }

    fn success(reply: Reply) -> Self {
        let Reply { stat, status, headers, content } = reply;
        let media_type = matches!(content, Content::Json(_)).then_some(JSON);
        Self { status: status.unwrap_or(200), stat, reason: "".into(), media_type, headers, content }
    }

    fn failure(kind: Kind, error: &Error, options: &Options, reqid: ReqId) -> Self {
        let fault = error.fault();
        let reason = Cow::Owned(fault.reason().into_owned());
        let (status, content, media_type) = match options.errors {
            ErrorStyle::Rest => (fault.http_status(), Content::Json(problem(fault, reqid)), Some(PROBLEM)),
            ErrorStyle::Butterfly => plain(kind, fault),
        };
        let headers = match fault {
            Fault::MethodNotAllowed { allow } => allow_header(allow),
            Fault::Busy { retry_after, .. } => retry_header(*retry_after),
            _ => Vec::new(),
        };
        let stat = match fault {
            Fault::File(status, _) => Stat::from(status.to_string()),
            _ => fault.stat(),
        };
        Self { status, stat, reason, media_type, headers, content }
    }

    /// The answer to a head that cannot be read.
    pub(crate) fn refusal(status: u16, reason: &'static str, options: &Options, reqid: ReqId) -> Self {
        let stat = Stat::from(status.to_string());
        let (content, media_type) = match options.errors {
            ErrorStyle::Rest => {
                let document = problem_document(status, reason, &stat, reqid);
                (Content::Json(document.to_string().into()), Some(PROBLEM))
            }
            ErrorStyle::Butterfly => (Content::Empty, None),
        };
        Self { status, stat, reason: reason.into(), media_type, headers: Vec::new(), content }
    }

    /// What the log says of an answer that a mounted service gave.
    pub(crate) fn of_mounted(status: u16) -> Self {
        let stat = Stat::from(status.to_string());
        Self {
            status,
            stat,
            reason: "".into(),
            media_type: None,
            headers: Vec::new(),
            content: Content::Empty,
        }
    }

    /// The framework's own headers: nothing in them needs a check.
    pub(crate) fn own_headers<'a>(
        &self,
        reqid: &'a ReqId,
        cost: &'a Seconds,
        reason: &'a [u8],
    ) -> OwnHeaders<'a> {
        let mut list: OwnHeaders<'a> = SmallVec::new();
        list.push(("butterfly", VERSION.as_bytes()));
        list.push(("x-reqid", reqid.as_bytes()));
        list.push(("x-cost", cost.as_bytes()));
        if !reason.is_empty() {
            list.push(("x-reason", reason));
        }
        if let Some(media_type) = self.media_type {
            list.push(("content-type", media_type.as_bytes()));
        }
        list
    }

    /// The handler's headers.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// The value of `x-reason`.
    pub(crate) fn reason_text(&self) -> Vec<u8> {
        self.reason.chars().take(REASON_MAX).map(printable).collect()
    }
}

pub(crate) type OwnHeaders<'a> = SmallVec<[(&'static str, &'a [u8]); 5]>;

/// The longest `x-reason`.
const REASON_MAX: usize = 200;

/// What is no printable ASCII would be a way to forge headers, or unreadable.
fn printable(letter: char) -> u8 {
    if letter == ' ' || letter.is_ascii_graphic() { letter as u8 } else { b'?' }
}

/// The original's error table: API kinds answer 200 and a stat, others a bare HTTP status.
fn plain(kind: Kind, fault: &Fault) -> (u16, Content, Option<&'static str>) {
    let document = || Content::Json(document(fault));
    match fault {
        Fault::NotFound | Fault::BadPath => (400, Content::Empty, None),
        Fault::TooLarge { .. }
        | Fault::MethodNotAllowed { .. }
        | Fault::UnsupportedMedia
        | Fault::Forbidden(_)
        | Fault::Busy { .. } => (fault.http_status(), document(), Some(JSON)),
        Fault::File(status, _) => (*status, Content::Empty, None),
        _ if kind.answers_stat() => (200, document(), Some(JSON)),
        Fault::BadParams(_) | Fault::BadBody(_) => (400, Content::Empty, None),
        Fault::Business { .. } => (400, document(), Some(JSON)),
        _ => (fault.http_status(), Content::Empty, None),
    }
}

fn document(fault: &Fault) -> Vec<u8> {
    let mut body = json!({ "stat": fault.stat().as_str() });
    describe(fault, &mut body);
    // A map of texts always serialises.
    serde_json::to_vec(&body).unwrap_or_default()
}

fn describe(fault: &Fault, body: &mut Value) {
    match fault {
        Fault::BadParams(bad) => body["params"] = params(bad),
        Fault::BadBody(why) => body["reason"] = why.as_str().into(),
        Fault::Business { reason: Some(reason), .. } => body["reason"] = reason.as_str().into(),
        Fault::TooLarge { .. }
        | Fault::MethodNotAllowed { .. }
        | Fault::UnsupportedMedia
        | Fault::Forbidden(_)
        | Fault::Busy { .. } => {
            body["reason"] = fault.reason().into();
        }
        _ => {}
    }
}

fn params(bad: &BadParams) -> Value {
    bad.iter()
        .map(|(name, problem)| (name.to_owned(), Value::from(problem)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// An RFC 9457 document.
fn problem(fault: &Fault, reqid: ReqId) -> Vec<u8> {
    let title = match fault {
        Fault::Business { stat, .. } => stat.to_string(),
        _ => fault.reason().into_owned(),
    };
    let mut body = problem_document(fault.http_status(), &title, &fault.stat(), reqid);
    match fault {
        Fault::BadParams(bad) => {
            body["detail"] = bad.to_string().into();
            body["params"] = params(bad);
        }
        Fault::BadBody(why) => body["detail"] = why.as_str().into(),
        Fault::Business { reason: Some(reason), .. } => body["detail"] = reason.as_str().into(),
        _ => {}
    }
    serde_json::to_vec(&body).unwrap_or_default()
}

fn problem_document(status: u16, title: &str, stat: &Stat, reqid: ReqId) -> Value {
    json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "stat": stat.as_str(),
        "instance": format!("urn:reqid:{reqid}"),
    })
}

pub(crate) fn allow_header(methods: &[&'static str]) -> Vec<(HeaderName, HeaderValue)> {
    let mut all = methods.to_vec();
    if all.contains(&"GET") && !all.contains(&"HEAD") {
        all.push("HEAD");
    }
    if !all.contains(&"OPTIONS") {
        all.push("OPTIONS");
    }
    HeaderValue::try_from(all.join(", ")).map(|value| vec![(http::header::ALLOW, value)]).unwrap_or_default()
}

/// Whole seconds, and never none: a caller that comes back at once finds what it left.
fn retry_header(pause: Duration) -> Vec<(HeaderName, HeaderValue)> {
    let seconds = pause.as_millis().div_ceil(1000).clamp(1, u128::from(u32::MAX)) as u64;
    vec![(http::header::RETRY_AFTER, HeaderValue::from(seconds))]
}

/// Adds the adaptor's two keys to a JSON document, beside `stat`.
fn adapt(document: &mut Vec<u8>, stat: &Stat, adaptor: &StatAdaptor) {
    let mapped = adaptor.status_map.get(stat.as_str()).or_else(|| adaptor.status_map.get("default"));
    let text = |text: &str| Value::from(text).to_string();
    if document.pop() == Some(b'}') {
        let mapped = mapped.map_or("null", String::as_str);
        let more = format!(
            ",{}:{mapped},{}:{}}}",
            text(&adaptor.status_name),
            text(&adaptor.message_name),
            text(stat.as_str())
        );
        document.extend_from_slice(more.as_bytes());
    }
}

/// Says in the error log why the stream of an answer ended early: the caller sees no more than that it did.
pub(crate) fn note_break(reqid: ReqId, error: &io::Error) {
    current::scope(reqid, || {
        tracing::error!(target: "butterfly::http", "the stream of an answer broke off: {error}");
    });
}

/// The content of an answer that is whole.
pub(crate) fn whole(content: &Content) -> Option<&[u8]> {
    match content {
        Content::Empty => Some(&[]),
        Content::Json(document) => Some(document),
        Content::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// The content of an answer that is whole, as one piece.
pub(crate) fn into_bytes(content: Content) -> Option<Bytes> {
    match content {
        Content::Empty => Some(Bytes::new()),
        Content::Json(document) => Some(document.into()),
        Content::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}
