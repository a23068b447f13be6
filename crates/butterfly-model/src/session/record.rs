//! What a session holds, and how it is written.

use std::time::Duration;

use butterfly_core::{Ctx, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::store::Stored;
use super::token::hex_of_hash;

/// The form in which records are written.
const FORM: u32 = 1;
/// What is kept of the name of a program that calls, in bytes.
const AGENT: usize = 256;

/// What a session holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    form: u32,
    pub(super) user: Option<String>,
    /// In Unix milliseconds, as all times here.
    pub(super) created: u64,
    pub(super) seen: u64,
    pub(super) ip: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) data: Map<String, Value>,
}

/// A session of which everything is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) ends: u64,
    pub(super) record: Record,
}

impl Record {
    pub(super) fn new(user: Option<String>, data: Map<String, Value>, now: u64) -> Self {
        Self { form: FORM, user, created: now, seen: now, ip: None, agent: None, data }
    }

    /// Notes who uses it.
    pub(super) fn see(&mut self, ctx: &Ctx, now: u64) {
        self.seen = now;
        self.ip = ctx.ip().map(|ip| ip.to_canonical().to_string());
        self.agent = ctx.header("user-agent").map(|agent| {
            let plain: String = agent.chars().filter(|c| !c.is_control()).collect();
            plain[..plain.floor_char_boundary(AGENT)].to_owned()
        });
    }
}

impl Known {
    /// Reads what a store holds.
    pub(super) fn read(id: String, stored: &Stored) -> Result<Self> {
        let wrong = |why: String| {
            let start = &id[..id.floor_char_boundary(12)];
            Error::server(format!("the session {start}… in the store cannot be read, remove it: {why}"))
        };
        let record: Record =
            serde_json::from_str(&stored.record).map_err(|error| wrong(error.to_string()))?;
        if record.form > FORM {
            return Err(wrong(format!("it has the form {} of a newer version", record.form)));
        }
        Ok(Self { id, version: stored.version, ends: stored.ends, record })
    }

    /// What a store is to hold; it expires when it was not seen for so long.
    pub(super) fn write(&self, idle: Duration) -> Result<Stored> {
        Ok(Stored {
            version: self.version,
            owner: self.record.user.as_deref().map(owner),
            expires: after(self.record.seen, idle).min(self.ends),
            ends: self.ends,
            record: serde_json::to_string(&self.record).map_err(Error::server)?,
        })
    }
}

/// What stores know of a user's name. Hashed, it fits every key and column, and databases that take `a` for `A` tell
/// users apart.
pub(super) fn owner(user: &str) -> String {
    hex_of_hash(user.as_bytes())
}

/// A time so much later; times end before the numbers of 63 bits do, which databases have.
pub(super) fn after(time: u64, span: Duration) -> u64 {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    time.saturating_add(ms).min(i64::MAX as u64)
}
