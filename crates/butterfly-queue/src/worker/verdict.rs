//! What a handler's result means for its message.

use std::time::Duration;

use butterfly_core::reply::Content;
use butterfly_core::{Error, Fault, Reply, Result, Stat};
use serde_json::{Value, json};

use crate::message::{Claimed, End, after};
use crate::retry::{may_help, pause};

/// The end of one run: for the message, and for the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) stat: String,
    pub(super) reason: String,
    pub(super) fate: Fate,
}

/// What becomes of the message, before its retries are looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// It is finished, with this reply.
    Finished(String),
    /// It failed; whether another run may help.
    Failed { again: bool },
    /// The handler asks for another run after so many milliseconds.
    Later(Duration),
}

impl Verdict {
    /// The original's rule: `ERR_BAD_PARAMS` and `ERR_SERVER_EXCEPTION` fail, every other stat finishes.
    pub(super) fn of(result: Result<(Stat, String)>) -> Self {
        match result {
            Ok((stat, document)) if fails(&stat) => {
                Self { reason: document, stat: stat.to_string(), fate: Fate::Failed { again: true } }
            }
            Ok((stat, document)) => {
                Self { stat: stat.to_string(), reason: String::new(), fate: Fate::Finished(document) }
            }
            Err(error) => Self::of_error(&error),
        }
    }

    fn of_error(error: &Error) -> Self {
        let stat = error.stat();
        let fate = match error.fault() {
            Fault::Busy { retry_after, .. } => Fate::Later(*retry_after),
            Fault::Business { reason, .. } if !fails(&stat) => {
                let mut document = json!({ "stat": stat.as_str() });
                if let Some(reason) = reason {
                    document["reason"] = reason.as_str().into();
                }
                Fate::Finished(document.to_string())
            }
            fault => Fate::Failed { again: may_help(fault) },
        };
        // The books of the queue are the operators': the whole chain of causes may stand there.
        Self { stat: stat.to_string(), reason: error.chain(), fate }
    }

    /// The end of one of the messages that ran; `backoff` is the first pause before a run is tried again.
    pub(super) fn end(&self, backoff: Duration, message: &Claimed) -> End {
        let error = || self.reason.clone();
        match &self.fate {
            Fate::Finished(result) => End::Finished { stat: self.stat.clone(), result: result.clone() },
            Fate::Later(wait) => End::Retry { at: after(*wait), error: error(), counts: false },
            Fate::Failed { again: true } if message.attempts < message.spec.retries => {
                let wait = pause(backoff, message.attempts + 1, chance(message.seq));
                End::Retry { at: after(wait), error: error(), counts: true }
            }
            Fate::Failed { .. } => End::Failed { error: error() },
        }
    }
}

fn fails(stat: &Stat) -> bool {
    *stat == Stat::ERR_BAD_PARAMS || *stat == Stat::ERR_SERVER_EXCEPTION
}

/// A number in 0..1 that differs from message to message and from time to time.
fn chance(seq: u64) -> f64 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(seq) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A reply as it is kept: JSON as it is, text as a JSON string, other bytes as hex digits, a file by its name.
///
/// # Errors
///
/// When a stream breaks off, or is larger than `limit` bytes.
pub(super) async fn kept(reply: Reply, limit: usize) -> Result<(Stat, String)> {
    let stat = reply.stat;
    let document = match reply.content {
        Content::Empty => json!({ "stat": stat.as_str() }).to_string(),
        Content::Json(document) => String::from_utf8(document)?,
        Content::Bytes(bytes) => beside(&stat, reply.status, text(&bytes)),
        Content::Stream(body) => beside(&stat, reply.status, text(&body.bytes(limit).await?)),
        Content::File(file) => json!({ "stat": stat.as_str(), "file": file.path }).to_string(),
    };
    if document.len() > limit {
        let size = document.len();
        return Err(Error::server(format!("the reply has {size} bytes, and queue.max_args allows {limit}")));
    }
    Ok((stat, document))
}

fn beside(stat: &Stat, status: Option<u16>, data: Value) -> String {
    let mut document = json!({ "stat": stat.as_str(), "data": data });
    if let Some(status) = status {
        document["status"] = status.into();
    }
    document.to_string()
}

/// Text as a string; other bytes as `{"hex": …}`.
fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{MsgId, Spec};

    fn message(attempts: u32, retries: u32) -> Claimed {
        let spec = Spec { retries, ..Spec::new("{}") };
        Claimed { seq: 1, id: MsgId::Given("a".into()), spec, attempts, deaths: 0 }
    }

    #[test]
    fn only_two_stats_fail() {
        for stat in ["OK", "ERR", "ERR_EMPTY"] {
            let verdict = Verdict::of(Err(Error::business_because(stat.to_owned(), "why")));
            assert_eq!(verdict.fate, Fate::Finished(json!({"stat": stat, "reason": "why"}).to_string()));
        }
        for stat in ["ERR_BAD_PARAMS", "ERR_SERVER_EXCEPTION"] {
            let verdict = Verdict::of(Err(Error::business(stat)));
            assert!(matches!(verdict.fate, Fate::Failed { .. }), "{stat}");
        }
    }

    #[test]
    fn a_run_is_tried_again_as_often_as_the_message_says() {
        let failed = Verdict::of(Err(Error::server("down")));
        let ends = |attempts, retries| failed.end(Duration::from_secs(1), &message(attempts, retries));
        assert!(matches!(ends(0, 0), End::Failed { .. }) && matches!(ends(3, 3), End::Failed { .. }));
        assert!(matches!(ends(0, 1), End::Retry { counts: true, .. }));
    }

    #[test]
    fn a_handlers_own_wish_to_wait_is_kept_and_costs_no_retry() {
        let verdict = Verdict::of(Err(crate::retry_after(Duration::from_secs(3), "quota")));
        assert_eq!(verdict.fate, Fate::Later(Duration::from_secs(3)));
        let wrong = Verdict::of(Err(crate::never_retry("no such card")));
        assert_eq!(wrong.fate, Fate::Failed { again: false });
    }
}
