//! What a message is: what its sender says, what becomes of it, and how it is named.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use butterfly_core::ReqId;

/// Unix time in milliseconds.
pub type Millis = u64;

/// A message's number in its topic. Engines give it, never twice.
///
/// A new topic counts from the microseconds of its first message, so that numbers do not come again when an engine's
/// data was lost. It fits 53 bits: Redis' scripts count in doubles.
pub type Seq = u64;

/// The name of a message: made by the engine, or chosen by the sender.
///
/// Ours are 21 hex digits: a hash of the topic, then the number in it. A sender's is 1 to 128 characters of
/// `A-Z a-z 0-9 _ - . : @ /` and is one message within its topic, however often it is sent.
///
/// # Example
///
/// ```
/// use butterfly_queue::MsgId;
///
/// let ours: MsgId = "5f3a9c1e0064f3a1b2c3d".parse()?;
/// assert!(matches!(ours, MsgId::Ours { .. }));
/// assert_eq!(ours.to_string(), "5f3a9c1e0064f3a1b2c3d");
/// assert!("order 7".parse::<MsgId>().is_err());
/// # Ok::<(), butterfly_queue::BadMsgId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MsgId {
    /// Made by the engine.
    Ours {
        /// The hash of the topic: [`tag`].
        tag: u32,
        /// The number in the topic.
        seq: Seq,
    },
    /// Chosen by the sender.
    Given(Box<str>),
}

/// Why a text is no message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMsgId;

impl fmt::Display for BadMsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message id is 1 to 128 characters of A-Z a-z 0-9 _ - . : @ /")
    }
}

impl std::error::Error for BadMsgId {}

/// The hash of a topic in our message ids: FNV-1a, 32 bits.
#[must_use]
pub const fn tag(topic: &str) -> u32 {
    let (mut hash, mut at) = (0x811C_9DC5_u32, 0);
    while at < topic.len() {
        hash = (hash ^ topic.as_bytes()[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

const OURS_LEN: usize = 21;
const GIVEN_MAX: usize = 128;

impl FromStr for MsgId {
    type Err = BadMsgId;

    fn from_str(text: &str) -> Result<Self, BadMsgId> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == OURS_LEN && text.bytes().all(hex) {
            let tag = u32::from_str_radix(&text[..8], 16).map_err(|_| BadMsgId)?;
            let seq = u64::from_str_radix(&text[8..], 16).map_err(|_| BadMsgId)?;
            return Ok(Self::Ours { tag, seq });
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:@/".contains(&byte);
        if (1..=GIVEN_MAX).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Self::Given(text.into()));
        }
        Err(BadMsgId)
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours { tag, seq } => write!(f, "{tag:08x}{seq:013x}"),
            Self::Given(text) => f.write_str(text),
        }
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for its time.
    Scheduled,
    /// Waits for a worker.
    Queued,
    /// Leased to a worker.
    Started,
    /// Answered, whatever the stat; never runs again.
    Finished,
    /// Given up, kept with its error; runs again when somebody requeues it.
    Failed,
}

impl State {
    /// All of them, in the order of a message's life.
    pub const ALL: [Self; 5] = [Self::Scheduled, Self::Queued, Self::Started, Self::Finished, Self::Failed];

    /// The word for it: `queued`, `started`, `finished`, `failed` as the original has, and `scheduled`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The highest priority; messages of a higher one go first.
pub const PRIORITY_MAX: u8 = 9;
/// The priority of a message that names none.
pub const PRIORITY: u8 = 4;

/// What the sender says of a message. It stays as it is for the message's life, but for `args` at a requeue.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The arguments: the text of a JSON object.
    pub args: String,
    /// 0 to [`PRIORITY_MAX`], higher first.
    pub priority: u8,
    /// When it was handed to the queue.
    pub created: Millis,
    /// How long one run may take; 0 is without a limit.
    pub timeout_ms: u64,
    /// How often a failed run is tried again.
    pub retries: u32,
    /// How long it may wait for its first run.
    pub ttl_ms: Option<u64>,
    /// How long it is kept after it finished; `Some(0)` not at all, `None` for ever.
    pub result_ttl_ms: Option<u64>,
    /// How long it is kept after it failed; `None` for ever.
    pub failure_ttl_ms: Option<u64>,
    /// The value of the topic's `limit_by` argument, where it has one.
    pub key: Option<String>,
    /// The id of the call that sent it.
    pub reqid: ReqId,
    /// The message whose handler sent it.
    pub parent: Option<String>,
    /// Who made the call that sent it.
    pub user: Option<String>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// Free text.
    pub description: Option<String>,
    /// The instance in which somebody waits for the answer: it is told when the message ends.
    pub notify: Option<Arc<str>>,
}

impl Spec {
    /// A message of these arguments, with everything else as the original has it: 180 s a run, no retries, kept for a
    /// year.
    #[must_use]
    pub fn new(args: impl Into<String>) -> Self {
        const YEAR_MS: u64 = 31_536_000_000;
        Self {
            args: args.into(),
            priority: PRIORITY,
            created: now_ms(),
            timeout_ms: 180_000,
            retries: 0,
            ttl_ms: None,
            result_ttl_ms: Some(YEAR_MS),
            failure_ttl_ms: Some(YEAR_MS),
            key: None,
            reqid: ReqId::new(),
            parent: None,
            user: None,
            ip: None,
            description: None,
            notify: None,
        }
    }
}

/// A message on its way into an engine.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// What the sender says.
    pub spec: Spec,
    /// The sender's own id. A message that is there already under it, in any state, is left as it is.
    pub id: Option<Box<str>>,
    /// Not before this time.
    pub run_at: Option<Millis>,
    /// One message at a time under this key.
    pub unique: Option<Unique>,
}

impl From<Spec> for NewMessage {
    fn from(spec: Spec) -> Self {
        Self { spec, id: None, run_at: None, unique: None }
    }
}

/// One message at a time under a key of the sender's, within a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The key, at most 512 bytes of any text.
    pub key: String,
    /// Until when the key is taken.
    pub hold: Hold,
    /// What a second message under the key does.
    pub second: Second,
}

/// Until when a unique key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Until its message finishes, fails or is deleted.
    WhileAlive,
    /// For so many milliseconds from the enqueue, whatever becomes of the message.
    For(u64),
}

/// What a second message under a unique key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// It is dropped; its sender is given the first one's id.
    Dropped,
    /// While the first one is scheduled, its spec and time are replaced by the second's (debounce); else dropped.
    Replaces,
}

/// What the engine says of one message that was enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The id of the message that is now in the queue.
    pub id: MsgId,
    /// False when it was there already, under its id or its unique key.
    pub new: bool,
}

/// A message leased to a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Its number.
    pub seq: Seq,
    /// Its id.
    pub id: MsgId,
    /// What the sender said.
    pub spec: Spec,
    /// Runs that failed before this one.
    pub attempts: u32,
    /// Workers that died with it.
    pub deaths: u32,
}

impl Claimed {
    /// Runs before this one: those that failed, and those whose workers died.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.attempts.saturating_add(self.deaths)
    }
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The message as it was claimed.
    pub message: Claimed,
    /// When the run began.
    pub started: Millis,
    /// What it cost, in microseconds.
    pub cost_us: u64,
    /// How it ended.
    pub end: End,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The handler answered.
    Finished {
        /// Its stat.
        stat: String,
        /// Its reply: JSON text.
        result: String,
    },
    /// Given up for good.
    Failed {
        /// Why.
        error: String,
    },
    /// To be tried again.
    Retry {
        /// Not before this time.
        at: Millis,
        /// Why.
        error: String,
        /// Whether the run counts against the message's retries.
        counts: bool,
    },
    /// Not run, or not to its end: another worker may have it at once.
    Released,
}

/// Everything that an engine knows of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its number.
    pub seq: Seq,
    /// Its id.
    pub id: MsgId,
    /// Where it stands.
    pub state: State,
    /// What the sender said.
    pub spec: Spec,
    /// When it runs, while it is scheduled.
    pub run_at: Option<Millis>,
    /// When its last run began. While it runs, engines know this of runs that have lasted a second.
    pub started: Option<Millis>,
    /// When it finished or failed.
    pub ended: Option<Millis>,
    /// Runs that failed and are to be repeated, or were.
    pub attempts: u32,
    /// Workers that died with it.
    pub deaths: u32,
    /// The worker that has it, or had it last.
    pub worker: Option<String>,
    /// What the last run cost, in microseconds.
    pub cost_us: u64,
    /// The handler's stat.
    pub stat: Option<String>,
    /// The handler's reply: JSON text.
    pub result: Option<String>,
    /// Why it failed, or why its last run did.
    pub error: Option<String>,
    /// What the handler said of its progress: JSON text.
    pub progress: Option<String>,
}

/// The last millisecond of the year 9999: no time of a message is later.
pub(crate) const LATEST: Millis = 253_402_300_799_999;

/// So long from now.
pub(crate) fn after(wait: Duration) -> Millis {
    let ms = Millis::try_from(wait.as_millis()).unwrap_or(LATEST);
    now_ms().saturating_add(ms).min(LATEST)
}

/// Unix time now.
#[must_use]
pub fn now_ms() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let ours = MsgId::Ours { tag: tag("/demo_api/hello"), seq: 1_764_000_000_000_000 };
        assert_eq!(ours.to_string().parse(), Ok(ours));
        for given in ["order-7", "a", "ORDER:7@shop/x.y_z", &"x".repeat(128)] {
            assert_eq!(given.parse(), Ok(MsgId::Given(given.into())));
        }
    }

    #[test]
    fn hostile_ids_are_refused() {
        for bad in ["", "a b", "a\nb", "é", "{x}", "a'b", "a\0", &"x".repeat(129)] {
            assert_eq!(bad.parse::<MsgId>(), Err(BadMsgId), "{bad:?}");
        }
    }

    #[test]
    fn no_time_is_too_far_away() {
        assert!(after(Duration::from_secs(60)) >= now_ms() + 59_000);
        assert_eq!(after(Duration::MAX), LATEST);
    }

    #[test]
    fn states_have_the_originals_words() {
        for state in State::ALL {
            assert_eq!(State::of(state.as_str()), Some(state));
        }
        assert_eq!(State::of("done"), None);
    }
}
