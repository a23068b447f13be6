//! A message as the outbox keeps it: the column `message`.

use std::net::IpAddr;
use std::sync::Arc;

use butterfly_core::ReqId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::message::{Hold, Millis, MsgId, NewMessage, PRIORITY_MAX, Second, Spec, Unique};

/// All but what has a column of its own: id, topic, reqid and user.
///
/// A name that is not known here is a newer version's, and what it asks for would be passed over: the row is set aside
/// instead.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    args: Box<RawValue>,
    priority: u8,
    created: Millis,
    timeout_ms: u64,
    retries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
    /// `null` is for ever.
    result_ttl_ms: Option<u64>,
    failure_ttl_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notify: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unique: Option<StoredUnique>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredUnique {
    key: String,
    /// Absent while the message is alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    for_ms: Option<u64>,
    replaces: bool,
}

/// The text of a message.
pub(super) fn write(message: NewMessage) -> serde_json::Result<String> {
    let NewMessage { spec, id: _, run_at, unique } = message;
    serde_json::to_string(&Stored {
        args: RawValue::from_string(spec.args)?,
        priority: spec.priority,
        created: spec.created,
        timeout_ms: spec.timeout_ms,
        retries: spec.retries,
        ttl_ms: spec.ttl_ms,
        result_ttl_ms: spec.result_ttl_ms,
        failure_ttl_ms: spec.failure_ttl_ms,
        key: spec.key,
        parent: spec.parent,
        ip: spec.ip,
        description: spec.description,
        notify: spec.notify,
        run_at,
        unique: unique.map(|unique| StoredUnique {
            key: unique.key,
            for_ms: match unique.hold {
                Hold::WhileAlive => None,
                Hold::For(ms) => Some(ms),
            },
            replaces: unique.second == Second::Replaces,
        }),
    })
}

/// The message of a row.
///
/// # Errors
///
/// What is wrong with it: a row is data that others may have written.
pub(super) fn read(text: &str, id: &str, reqid: &str, user: Option<String>) -> Result<NewMessage, String> {
    let stored: Stored = serde_json::from_str(text)
        .map_err(|error| format!("the column message cannot be read by this version: {error}"))?;
    if !matches!(id.parse(), Ok(MsgId::Given(_))) {
        return Err(format!("the column msg_id holds no id: {id:?}"));
    }
    if stored.priority > PRIORITY_MAX {
        return Err(format!("its priority is {}, and the highest is {PRIORITY_MAX}", stored.priority));
    }
    let reqid: ReqId = reqid.parse().map_err(|why| format!("the column reqid holds {reqid:?}: {why}"))?;
    let spec = Spec {
        args: stored.args.get().to_owned(),
        priority: stored.priority,
        created: stored.created,
        timeout_ms: stored.timeout_ms,
        retries: stored.retries,
        ttl_ms: stored.ttl_ms,
        result_ttl_ms: stored.result_ttl_ms,
        failure_ttl_ms: stored.failure_ttl_ms,
        key: stored.key,
        reqid,
        parent: stored.parent,
        user,
        ip: stored.ip,
        description: stored.description,
        notify: stored.notify,
    };
    let unique = stored.unique.map(|unique| Unique {
        key: unique.key,
        hold: unique.for_ms.map_or(Hold::WhileAlive, Hold::For),
        second: if unique.replaces { Second::Replaces } else { Second::Dropped },
    });
    Ok(NewMessage { spec, id: Some(id.into()), run_at: stored.run_at, unique })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> NewMessage {
        let mut spec = Spec::new(r#"{"n": 12345678901234567890, "x": 0.1, "s": "a\u0000\n{}'; DROP TABLE"}"#);
        spec.priority = 9;
        spec.ttl_ms = Some(5);
        spec.result_ttl_ms = None;
        spec.failure_ttl_ms = Some(0);
        spec.key = Some("k".into());
        spec.parent = Some("order-6".into());
        spec.user = Some("ann".into());
        spec.ip = Some([10, 0, 0, 1].into());
        spec.description = Some("für Leute, 给人看".into());
        spec.notify = Some("w1/7".into());
        let unique = Unique { key: "u".into(), hold: Hold::For(7), second: Second::Replaces };
        NewMessage { spec, id: Some("order-7".into()), run_at: Some(99), unique: Some(unique) }
    }

    #[test]
    fn a_message_comes_back_as_it_was() {
        for message in [full(), NewMessage { id: Some("a".into()), ..Spec::new("{}").into() }] {
            let text = write(message.clone()).unwrap();
            let id = message.id.clone().unwrap();
            let back = read(&text, &id, message.spec.reqid.as_str(), message.spec.user.clone());
            assert_eq!(back, Ok(message));
        }
    }

    #[test]
    fn what_is_none_is_refused_with_its_column() {
        let text = write(full()).unwrap();
        let newer = text.replacen('{', r#"{"lane":1,"#, 1);
        let reqid = ReqId::new();
        let why = |text: &str, id: &str, reqid: &str| read(text, id, reqid, None).unwrap_err();
        assert!(why("", "a", reqid.as_str()).contains("column message"));
        assert!(why(&newer, "a", reqid.as_str()).contains("unknown field `lane`"));
        assert!(why(&text, "a b", reqid.as_str()).contains("column msg_id"));
        assert!(why(&text, "a", "\n").contains("column reqid"));
        let loud = text.replace(r#""priority":9"#, r#""priority":10"#);
        assert!(why(&loud, "a", reqid.as_str()).contains("priority is 10"));
    }
}
