//! Handing in a message over HTTP.

use std::time::{Duration, SystemTime};

use butterfly_core::args::DateTime;
use butterfly_core::reply::With;
use butterfly_core::serde_json::{Map, Value};
use butterfly_core::{Ctx, Error, Result};
use butterfly_macros::{data, handler};
use butterfly_queue::Enqueue;
use jiff::tz::TimeZone;

use super::{answer, queue, wrong};

/// The arguments of a message.
pub type Args = Map<String, Value>;

/// What the sender gets.
#[data]
pub struct Sent {
    /// the message's id
    pub msg_id: String,
    /// false when the message was there already, under its id or its unique key
    pub new: bool,
}

/// Hands in a message: the call of a handler, to be made by a worker.
#[handler(ops, path = "/baichuan/enqueue")]
#[expect(clippy::too_many_arguments, reason = "each is one thing that a sender may say")]
pub async fn enqueue(
    ctx: &Ctx,
    /// the path of the handler
    topic: String,
    /// its arguments: a JSON object; kept out of this call's log line, for some may be secret
    #[secret]
    #[default(Args::new())]
    args: Args,
    /// a name of the sender's own: sent twice, it is one message
    msg_id: Option<String>,
    /// seconds from now before which it does not run
    #[check(range(0.0..=3_153_600_000.0))]
    delay: Option<f64>,
    /// the local time before which it does not run
    at: Option<DateTime>,
    /// 0 to 9, higher first; 4 when nothing is said
    #[check(range(0..=9))]
    priority: Option<u8>,
    /// dropped while another message under this key waits or runs
    unique: Option<String>,
    /// how often a failed run is tried again
    retries: Option<u32>,
    /// seconds that one run may take; 0 is without a limit
    #[check(range(0.0..=3_153_600_000.0))]
    timeout: Option<f64>,
    /// seconds that it may wait for its first run before it fails
    #[check(range(0.001..=3_153_600_000.0))]
    ttl: Option<f64>,
    /// a text for people
    description: Option<String>,
) -> Result<With<Sent>> {
    if delay.is_some() && at.is_some() {
        return Err(wrong("at", "says when it runs, and so does delay: give one of them"));
    }
    let at = at.map(local).transpose()?;
    let message = queue(ctx)?.send_text(&topic, text(args)?).from(ctx);
    let message = with(message, msg_id, Enqueue::id);
    let message = with(message, delay.map(Duration::from_secs_f64), Enqueue::delay);
    let message = with(message, at, Enqueue::at);
    let message = with(message, priority, Enqueue::priority);
    let message = with(message, unique, Enqueue::unique);
    let message = with(message, retries, Enqueue::retries);
    let message = with(message, timeout.map(Duration::from_secs_f64), Enqueue::timeout);
    let message = with(message, ttl.map(Duration::from_secs_f64), Enqueue::ttl);
    let receipt = with(message, description, Enqueue::description).await?;
    Ok(answer(Sent { msg_id: receipt.id.to_string(), new: receipt.new }))
}

/// The arguments as text.
pub(super) fn text(args: Args) -> Result<String> {
    butterfly_core::serde_json::to_string(&args).map_err(Error::from)
}

/// Says one thing of a message, if there is something to say.
fn with<'c, T>(
    message: Enqueue<'c, Value>,
    said: Option<T>,
    say: impl FnOnce(Enqueue<'c, Value>, T) -> Enqueue<'c, Value>,
) -> Enqueue<'c, Value> {
    match said {
        Some(said) => say(message, said),
        None => message,
    }
}

/// The instant of a local time. One that the clocks pass twice is the first, one that they leap over comes right after.
fn local(at: DateTime) -> Result<SystemTime> {
    let zoned = TimeZone::system().to_zoned(at.0);
    zoned.map(SystemTime::from).map_err(|error| wrong("at", error.to_string()))
}
