//! How a message is written: one compact run of bytes, which both this code and the scripts in the server read.
//!
//! ```text
//! byte 1    the version of this format: 1
//! byte 2    bits 0-1: 0 waits or runs, 1 finished, 2 failed; the others say which parts follow the next seven bytes
//! byte 3    priority
//! 4 to 9    when it was handed in: Unix milliseconds
//! then, as the bits of byte 2 say:
//!   4       the sender's id          a byte of length, text
//!   8       the lane                 a byte of length, text (the key whose messages take turns)
//!   16      who is told of its end   a byte of length, text
//!   32      to be started until      6 bytes
//!   64      failure ttl              6 bytes, all ones for ever (without: the default)
//! then fields in any order, a later one in place of an earlier one: a tag (number * 4 + kind), and
//!   kind 0  a number in base 128, lowest digits first
//!   kind 1  a length in the same manner, and so many bytes
//!   kind 2  6 bytes
//! ```
//!
//! The scripts read the first part alone, and add fields at the end; an ended record's last field is when it ended. A
//! field of an unknown number is passed over, so that the format can grow; a record of another version is not read.
//! What has its usual value is left out: a trivial message costs some 60 bytes beside its arguments and its answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use butterfly_core::ReqId;

use crate::engine::Owner;
use crate::message::{End, Millis, NewMessage, Outcome, Spec, now_ms};

const VERSION: u8 = 1;
const PHASE: u8 = 3;
const HAS_ID: u8 = 4;
const HAS_LANE: u8 = 8;
const HAS_NOTIFY: u8 = 16;
const HAS_DEADLINE: u8 = 32;
const HAS_FAILURE_TTL: u8 = 64;
/// "For ever" in six bytes.
const FOREVER: u64 = 0xFFFF_FFFF_FFFF;
/// A key up to this length is the lane itself; of a longer one the lane is a hash.
const LANE_MAX: usize = 200;

const USUAL_TIMEOUT_MS: u64 = 180_000;
const USUAL_TTL_MS: u64 = 31_536_000_000;
const USUAL_STAT: &str = "OK";

const NUMBER: u8 = 0;
const BYTES: u8 = 1;
const TIME: u8 = 2;

mod field {
    pub(super) const ARGS: u8 = 1;
    pub(super) const TIMEOUT: u8 = 2;
    pub(super) const RETRIES: u8 = 3;
    pub(super) const TTL: u8 = 4;
    pub(super) const RESULT_TTL: u8 = 5;
    pub(super) const KEY: u8 = 6;
    pub(super) const REQID: u8 = 7;
    pub(super) const PARENT: u8 = 8;
    pub(super) const USER: u8 = 9;
    pub(super) const IP: u8 = 10;
    pub(super) const DESCRIPTION: u8 = 11;
    /// A reqid of 16 hex digits, in eight bytes.
    pub(super) const REQID_BITS: u8 = 12;
    pub(super) const STARTED: u8 = 20;
    pub(super) const COST: u8 = 21;
    pub(super) const WORKER: u8 = 22;
    pub(super) const STAT: u8 = 23;
    pub(super) const RESULT: u8 = 24;
    // The scripts write these four too.
    pub(super) const ERROR: u8 = 25;
    pub(super) const ATTEMPTS: u8 = 26;
    pub(super) const DEATHS: u8 = 27;
    pub(super) const PROGRESS: u8 = 28;
    pub(super) const ENDED: u8 = 29;
    /// Tells equal runs of two owners apart.
    pub(super) const OWNER: u8 = 30;
}

/// What a record says of a message's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Scheduled, queued or started: which, is told by where its number is kept.
    #[default]
    Alive,
    Finished,
    Failed,
}

/// What a run left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    pub(super) started: Option<Millis>,
    pub(super) ended: Option<Millis>,
    pub(super) attempts: u32,
    pub(super) deaths: u32,
    pub(super) worker: Option<String>,
    pub(super) cost_us: u64,
    pub(super) stat: Option<String>,
    pub(super) result: Option<String>,
    pub(super) error: Option<String>,
    pub(super) progress: Option<String>,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) phase: Phase,
    pub(super) id: Option<Box<str>>,
    /// Whether its key is a lane, in which it takes turns.
    pub(super) laned: bool,
    pub(super) spec: Spec,
    pub(super) run: Run,
}

/// Why bytes are no record of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadRecord {
    /// A version that this program does not know.
    Version(u8),
    /// Not a record, or a damaged one.
    Damaged,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "the message is written in format {version}, and this program reads {VERSION}: run a newer program"
            ),
            Self::Damaged => {
                f.write_str("the message is not readable: damaged, or written by something else")
            }
        }
    }
}

/// The record of a message that is handed in.
pub(super) fn of_new(message: &NewMessage, keyed: bool) -> Vec<u8> {
    waiting(message, keyed, message.spec.created.min(now_ms()))
}

/// The record of a message that is queued again: its time to live counts from now.
pub(super) fn of_requeued(message: &NewMessage, keyed: bool) -> Vec<u8> {
    waiting(message, keyed, now_ms())
}

fn waiting(message: &NewMessage, keyed: bool, since: Millis) -> Vec<u8> {
    let deadline = message.spec.ttl_ms.map(|ttl| since.saturating_add(ttl));
    let mut writer = Writer::new(Phase::Alive, message.id.as_deref(), &message.spec, keyed, deadline);
    writer.spec(&message.spec);
    writer.out
}

/// The record of a message after a run. The script adds when it ended.
///
/// The same outcome gives the same bytes, so that the script knows one that was sent twice.
pub(super) fn of_outcome(outcome: &Outcome, keyed: bool, owner: &Owner) -> Vec<u8> {
    let Outcome { message, started, cost_us, end } = outcome;
    let phase = match end {
        End::Finished { .. } => Phase::Finished,
        End::Failed { .. } => Phase::Failed,
        End::Retry { .. } | End::Released => Phase::Alive,
    };
    let id = match &message.id {
        crate::MsgId::Given(id) => Some(&**id),
        crate::MsgId::Ours { .. } => None,
    };
    let mut writer = Writer::new(phase, id, &message.spec, keyed, None);
    writer.spec(&message.spec);
    writer.started(*started, message.spec.created);
    writer.number_unless(field::COST, *cost_us, 0);
    writer.number(field::OWNER, hash(&owner.key()) & 0x3FFF);
    writer.bytes(field::WORKER, owner.worker.as_bytes());
    let counts = matches!(end, End::Retry { counts: true, .. });
    writer.number_unless(field::ATTEMPTS, u64::from(message.attempts) + u64::from(counts), 0);
    writer.number_unless(field::DEATHS, u64::from(message.deaths), 0);
    match end {
        End::Finished { stat, result } => {
            if stat != USUAL_STAT {
                writer.bytes(field::STAT, stat.as_bytes());
            }
            writer.bytes(field::RESULT, result.as_bytes());
        }
        End::Failed { error } | End::Retry { error, .. } => writer.bytes(field::ERROR, error.as_bytes()),
        End::Released => {}
    }
    writer.out
}

/// Reads a record.
pub(super) fn read(bytes: &[u8]) -> Result<Record, BadRecord> {
    let mut reader = Reader { rest: bytes };
    let version = reader.byte()?;
    if version != VERSION {
        return Err(BadRecord::Version(version));
    }
    let flags = reader.byte()?;
    let phase = match flags & PHASE {
        0 => Phase::Alive,
        1 => Phase::Finished,
        2 => Phase::Failed,
        _ => return Err(BadRecord::Damaged),
    };
    let mut spec = Spec { priority: reader.byte()?, created: reader.six()?, ..blank() };
    let id = if flags & HAS_ID != 0 { Some(reader.short()?.into()) } else { None };
    if flags & HAS_LANE != 0 {
        // Those without a key have a lane too, without a name.
        spec.key = Some(reader.short()?).filter(|lane| !lane.is_empty());
    }
    if flags & HAS_NOTIFY != 0 {
        spec.notify = Some(Arc::from(reader.short()?));
    }
    if flags & HAS_DEADLINE != 0 {
        reader.six()?;
    }
    if flags & HAS_FAILURE_TTL != 0 {
        spec.failure_ttl_ms = Some(reader.six()?).filter(|ttl| *ttl != FOREVER);
    }
    let mut record = Record { phase, id, laned: flags & HAS_LANE != 0, spec, run: Run::default() };
    while !reader.rest.is_empty() {
        record.field(&mut reader)?;
    }
    if phase == Phase::Finished && record.run.stat.is_none() {
        record.run.stat = Some(USUAL_STAT.into());
    }
    Ok(record)
}

/// A spec of which nothing is known: also what is shown of a message that cannot be read.
pub(super) fn blank() -> Spec {
    Spec {
        args: String::new(),
        priority: 0,
        created: 0,
        timeout_ms: USUAL_TIMEOUT_MS,
        retries: 0,
        ttl_ms: None,
        result_ttl_ms: Some(USUAL_TTL_MS),
        failure_ttl_ms: Some(USUAL_TTL_MS),
        key: None,
        reqid: no_reqid(),
        parent: None,
        user: None,
        ip: None,
        description: None,
        notify: None,
    }
}

fn no_reqid() -> ReqId {
    ReqId::at(0)
}

impl Record {
    fn field(&mut self, reader: &mut Reader<'_>) -> Result<(), BadRecord> {
        let tag = reader.byte()?;
        let (number, bytes): (u64, &[u8]) = match tag & 3 {
            NUMBER => (reader.number()?, &[]),
            BYTES => {
                let len = usize::try_from(reader.number()?).map_err(|_| BadRecord::Damaged)?;
                (0, reader.take(len)?)
            }
            TIME => (reader.six()?, &[]),
            _ => return Err(BadRecord::Damaged),
        };
        let (spec, run) = (&mut self.spec, &mut self.run);
        match tag >> 2 {
            field::ARGS => spec.args = text(bytes)?,
            field::TIMEOUT => spec.timeout_ms = number,
            field::RETRIES => spec.retries = small(number)?,
            field::TTL => spec.ttl_ms = Some(number),
            field::RESULT_TTL => spec.result_ttl_ms = number.checked_sub(1),
            field::KEY => spec.key = Some(text(bytes)?),
            field::REQID => spec.reqid = text(bytes)?.parse().map_err(|_| BadRecord::Damaged)?,
            field::REQID_BITS => spec.reqid = reqid(bytes)?,
            field::PARENT => spec.parent = Some(text(bytes)?),
            field::USER => spec.user = Some(text(bytes)?),
            field::IP => spec.ip = Some(ip(bytes)?),
            field::DESCRIPTION => spec.description = Some(text(bytes)?),
            field::STARTED => run.started = Some(spec.created.wrapping_add_signed(unfold(number))),
            field::COST => run.cost_us = number,
            field::WORKER => run.worker = Some(text(bytes)?),
            field::STAT => run.stat = Some(text(bytes)?),
            field::RESULT => run.result = Some(text(bytes)?),
            field::ERROR => run.error = Some(text(bytes)?),
            field::ATTEMPTS => run.attempts = small(number)?,
            field::DEATHS => run.deaths = small(number)?,
            field::PROGRESS => run.progress = Some(text(bytes)?),
            field::ENDED => run.ended = Some(number),
            _ => {}
        }
        Ok(())
    }
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn new(phase: Phase, id: Option<&str>, spec: &Spec, keyed: bool, deadline: Option<Millis>) -> Self {
        let mut out = Vec::with_capacity(96 + spec.args.len());
        out.extend([VERSION, phase as u8, spec.priority]);
        let mut writer = Self { out };
        writer.six(spec.created);
        writer.part(HAS_ID, id);
        writer.part(HAS_LANE, keyed.then(|| lane(spec.key.as_deref().unwrap_or_default())).as_deref());
        writer.part(HAS_NOTIFY, spec.notify.as_deref());
        if let Some(deadline) = deadline {
            writer.out[1] |= HAS_DEADLINE;
            writer.six(deadline);
        }
        if spec.failure_ttl_ms != Some(USUAL_TTL_MS) {
            writer.out[1] |= HAS_FAILURE_TTL;
            writer.six(spec.failure_ttl_ms.unwrap_or(FOREVER));
        }
        if spec.key.as_deref().is_some_and(|key| !keyed || key.is_empty() || key.len() > LANE_MAX) {
            writer.optional(field::KEY, spec.key.as_deref());
        }
        writer
    }

    fn spec(&mut self, spec: &Spec) {
        self.bytes(field::ARGS, spec.args.as_bytes());
        self.number_unless(field::TIMEOUT, spec.timeout_ms, USUAL_TIMEOUT_MS);
        self.number_unless(field::RETRIES, u64::from(spec.retries), 0);
        if let Some(ttl) = spec.ttl_ms {
            self.number(field::TTL, ttl);
        }
        let result_ttl = spec.result_ttl_ms.map_or(0, |ttl| ttl.saturating_add(1));
        self.number_unless(field::RESULT_TTL, result_ttl, USUAL_TTL_MS + 1);
        self.reqid(spec.reqid);
        self.optional(field::PARENT, spec.parent.as_deref());
        self.optional(field::USER, spec.user.as_deref());
        match spec.ip {
            Some(IpAddr::V4(ip)) => self.bytes(field::IP, &ip.octets()),
            Some(IpAddr::V6(ip)) => self.bytes(field::IP, &ip.octets()),
            None => {}
        }
        self.optional(field::DESCRIPTION, spec.description.as_deref());
    }

    /// An id of ours is 16 hex digits: eight bytes hold it.
    fn reqid(&mut self, reqid: ReqId) {
        let text = reqid.as_str();
        let digits = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        let ours = text.len() == 16 && text.bytes().all(digits);
        match u64::from_str_radix(text, 16) {
            Ok(bits) if ours => self.bytes(field::REQID_BITS, &bits.to_be_bytes()),
            _ => self.bytes(field::REQID, text.as_bytes()),
        }
    }

    fn started(&mut self, started: Millis, created: Millis) {
        self.number(field::STARTED, fold(started.wrapping_sub(created) as i64));
    }

    fn part(&mut self, flag: u8, part: Option<&str>) {
        if let Some(part) = part {
            let part = &part[..part.floor_char_boundary(255)];
            self.out[1] |= flag;
            self.out.push(part.len() as u8);
            self.out.extend(part.as_bytes());
        }
    }

    fn optional(&mut self, field: u8, text: Option<&str>) {
        if let Some(text) = text {
            self.bytes(field, text.as_bytes());
        }
    }

    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.out.push(field << 2 | BYTES);
        self.varint(bytes.len() as u64);
        self.out.extend(bytes);
    }

    fn number_unless(&mut self, field: u8, number: u64, usual: u64) {
        if number != usual {
            self.number(field, number);
        }
    }

    fn number(&mut self, field: u8, number: u64) {
        self.out.push(field << 2 | NUMBER);
        self.varint(number);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    fn six(&mut self, number: u64) {
        self.out.extend(&number.min(FOREVER).to_be_bytes()[2..]);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], BadRecord> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(BadRecord::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, BadRecord> {
        self.take(1).map(|taken| taken[0])
    }

    fn six(&mut self) -> Result<u64, BadRecord> {
        Ok(self.take(6)?.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    fn short(&mut self) -> Result<String, BadRecord> {
        let len = self.byte()?;
        text(self.take(len.into())?)
    }

    fn number(&mut self) -> Result<u64, BadRecord> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(BadRecord::Damaged)
    }
}

/// The lane of a key: itself, or its hash where it is long.
fn lane(key: &str) -> std::borrow::Cow<'_, str> {
    if key.len() <= LANE_MAX {
        return key.into();
    }
    format!("#{:016x}", hash(key)).into()
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn text(bytes: &[u8]) -> Result<String, BadRecord> {
    String::from_utf8(bytes.to_vec()).map_err(|_| BadRecord::Damaged)
}

fn small(number: u64) -> Result<u32, BadRecord> {
    u32::try_from(number).map_err(|_| BadRecord::Damaged)
}

fn reqid(bytes: &[u8]) -> Result<ReqId, BadRecord> {
    let bits = <[u8; 8]>::try_from(bytes).map_err(|_| BadRecord::Damaged)?;
    format!("{:016X}", u64::from_be_bytes(bits)).parse().map_err(|_| BadRecord::Damaged)
}

fn ip(bytes: &[u8]) -> Result<IpAddr, BadRecord> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(octets.into());
    }
    <[u8; 16]>::try_from(bytes).map(IpAddr::from).map_err(|_| BadRecord::Damaged)
}

/// Small numbers of either sign as small numbers without one.
fn fold(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unfold(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests;
