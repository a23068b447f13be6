//! A message's row: how what the sender says is written and read.

use std::net::IpAddr;

use butterfly_core::ReqId;
use butterfly_store::rusqlite::{self, Row};
use serde::{Deserialize, Serialize};

use super::books::{int, unsigned};
use crate::message::{Claimed, MsgId, PRIORITY_MAX, Spec};

/// What most messages have alike, and so is not written.
const TIMEOUT_MS: u64 = 180_000;
const KEEP_MS: u64 = 31_536_000_000;

/// What a sender says besides arguments and priority, where it is not the usual: the column `options`.
///
/// A name that is not known here is a newer version's, and what it asks for would be passed over: the message is set
/// aside instead.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    retries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    /// -1 is for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    result_ttl_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_ttl_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify: Option<std::borrow::Cow<'a, str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn keep(ttl: Option<u64>) -> Option<i64> {
    match ttl {
        Some(KEEP_MS) => None,
        Some(ms) => Some(int(ms)),
        None => Some(-1),
    }
}

fn kept(written: Option<i64>) -> Option<u64> {
    match written {
        None => Some(KEEP_MS),
        Some(ms) => u64::try_from(ms).ok(),
    }
}

/// The column `options`; none where all is usual.
pub(super) fn options(spec: &Spec) -> Option<String> {
    let options = Options {
        timeout_ms: Some(spec.timeout_ms).filter(|ms| *ms != TIMEOUT_MS),
        retries: spec.retries,
        ttl_ms: spec.ttl_ms,
        result_ttl_ms: keep(spec.result_ttl_ms),
        failure_ttl_ms: keep(spec.failure_ttl_ms),
        parent: spec.parent.as_deref().map(Into::into),
        user: spec.user.as_deref().map(Into::into),
        ip: spec.ip,
        description: spec.description.as_deref().map(Into::into),
        notify: spec.notify.as_deref().map(Into::into),
    };
    if options == Options::default() {
        return None;
    }
    // A struct of texts and numbers has a JSON form.
    serde_json::to_string(&options).ok()
}

/// The columns that [`spec`] reads, in its order.
macro_rules! spec_columns {
    () => {
        "m.args, m.priority, m.created, m.reqid, m.key, m.options"
    };
}
pub(super) use spec_columns;

/// Reads what the sender said, from the column `at` on; the error says what is wrong with the row.
pub(super) fn spec(row: &Row<'_>, at: usize) -> Result<Spec, String> {
    let wrong = |error: rusqlite::Error| error.to_string();
    let text: Option<&str> =
        row.get_ref(at + 5).map_err(wrong)?.as_str_or_null().map_err(|error| error.to_string())?;
    let options: Options<'_> = match text {
        None => Options::default(),
        Some(text) => {
            serde_json::from_str(text).map_err(|error| format!("its options are not readable: {error}"))?
        }
    };
    let priority: i64 = row.get(at + 1).map_err(wrong)?;
    let reqid: String = row.get(at + 3).map_err(wrong)?;
    Ok(Spec {
        args: row.get(at).map_err(wrong)?,
        priority: u8::try_from(priority)
            .ok()
            .filter(|priority| *priority <= PRIORITY_MAX)
            .ok_or_else(|| format!("its priority is {priority}"))?,
        created: unsigned(row.get(at + 2).map_err(wrong)?),
        timeout_ms: options.timeout_ms.unwrap_or(TIMEOUT_MS),
        retries: options.retries,
        ttl_ms: options.ttl_ms,
        result_ttl_ms: kept(options.result_ttl_ms),
        failure_ttl_ms: kept(options.failure_ttl_ms),
        key: row.get(at + 4).map_err(wrong)?,
        reqid: reqid.parse::<ReqId>().map_err(|error| format!("its reqid is {reqid:?}: {error}"))?,
        parent: options.parent.map(Into::into),
        user: options.user.map(Into::into),
        ip: options.ip,
        description: options.description.map(Into::into),
        notify: options.notify.map(Into::into),
    })
}

/// The id of a message by its row.
pub(super) fn id(tag: u32, seq: i64, given: Option<String>) -> MsgId {
    match given {
        Some(given) => MsgId::Given(given.into()),
        None => MsgId::Ours { tag, seq: unsigned(seq) },
    }
}

/// The row of a message that may be claimed: [`claimable`] reads what [`CLAIMABLE`](claim) selects.
pub(super) struct Claimable {
    pub(super) rank: i64,
    pub(super) place: i64,
    pub(super) seq: i64,
    pub(super) expires: Option<i64>,
    pub(super) has_started: bool,
    pub(super) key: Option<String>,
    /// What a worker is given, or why the row cannot be read.
    pub(super) claimed: Result<Claimed, String>,
}

/// The columns of a line of `ready` (as `r`) and its message (as `m`).
macro_rules! claimable_columns {
    () => {
        concat!(
            "r.rank, r.place, r.seq, m.seq, m.id, m.attempts, m.deaths, m.expires, m.started, ",
            super::record::spec_columns!()
        )
    };
}
pub(super) use claimable_columns;

/// Reads a row of [`claimable_columns`].
pub(super) fn claimable(tag: u32, row: &Row<'_>) -> rusqlite::Result<Claimable> {
    let seq: i64 = row.get(2)?;
    let there: Option<i64> = row.get(3)?;
    let claimed = match there {
        None => Err("its row is gone".to_owned()),
        Some(_) => claimed(tag, seq, row),
    };
    Ok(Claimable {
        rank: row.get(0)?,
        place: row.get(1)?,
        seq,
        expires: row.get(7).unwrap_or(None),
        has_started: row.get::<_, Option<i64>>(8).is_ok_and(|started| started.is_some()),
        key: row.get(13).unwrap_or(None),
        claimed,
    })
}

fn claimed(tag: u32, seq: i64, row: &Row<'_>) -> Result<Claimed, String> {
    let wrong = |error: rusqlite::Error| error.to_string();
    Ok(Claimed {
        seq: unsigned(seq),
        id: id(tag, seq, row.get(4).map_err(wrong)?),
        spec: spec(row, 9)?,
        attempts: row.get(5).map_err(wrong)?,
        deaths: row.get(6).map_err(wrong)?,
    })
}
