//! Waking: what is published reaches every process that listens; behind a proxy a timer stands in for it.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use butterfly_model::redis::driver::Msg;
use futures_core::Stream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{interval, sleep, timeout};

use super::Inner;
use crate::EngineError;
use crate::engine::Wake;
use crate::message::{MsgId, tag};

/// A connection that was cut without a word is found out in so long.
const PING: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(5);
/// The pauses between attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The pauses of the timer that stands in for waking: while there is work, and after a while without.
const LOOKS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Why a connection to listen on has ended.
enum Ended {
    /// It broke, after it worked or before.
    Broken { worked: bool },
    /// Nobody listens any more.
    Unheard,
}

/// Listens for as long as the receiver is kept.
pub(super) fn listen(inner: &Arc<Inner>, inbox: Arc<str>) -> Result<UnboundedReceiver<Wake>, EngineError> {
    let runtime = tokio::runtime::Handle::try_current()
        .map_err(|_| EngineError::Misconfigured("listening needs a running tokio runtime".into()))?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let weak = Arc::downgrade(inner);
    if inner.proxy {
        runtime.spawn(look_by_timer(weak, sender));
    } else {
        inner.deaf.send_modify(|deaf| *deaf += 1);
        runtime.spawn(keep_listening(Deaf(weak), inbox, sender));
    }
    Ok(receiver)
}

async fn look_by_timer(inner: Weak<Inner>, sender: UnboundedSender<Wake>) {
    let (mut pause, mut seen) = (LOOKS.0, 0);
    loop {
        tokio::select! {
            () = sender.closed() => return,
            () = sleep(pause) => {}
        }
        let Some(moved) = inner.upgrade().map(|inner| inner.moved.load(Ordering::Relaxed)) else { return };
        pause = if moved == seen { (pause * 2).min(LOOKS.1) } else { LOOKS.0 };
        seen = moved;
        if sender.send(Wake::All).is_err() {
            return;
        }
    }
}

/// A listener that has not yet tried to connect. Calls of the engine wait until it is dropped.
struct Deaf(Weak<Inner>);

impl Drop for Deaf {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.deaf.send_modify(|deaf| *deaf -= 1);
        }
    }
}

async fn keep_listening(deaf: Deaf, inbox: Arc<str>, sender: UnboundedSender<Wake>) {
    let mut pause = PAUSES.0;
    let inner = deaf.0.clone();
    let mut deaf = Some(deaf);
    for attempt in 0.. {
        match listen_once(&inner, &inbox, &sender, attempt, &mut deaf).await {
            Ended::Unheard => return,
            Ended::Broken { worked } => {
                pause = if worked { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
                tokio::select! {
                    () = sender.closed() => return,
                    () = sleep(pause) => {}
                }
            }
        }
    }
}

async fn listen_once(
    inner: &Weak<Inner>,
    inbox: &str,
    sender: &UnboundedSender<Wake>,
    attempt: usize,
    deaf: &mut Option<Deaf>,
) -> Ended {
    let Some(strong) = inner.upgrade() else { return Ended::Unheard };
    let channels = [format!("{}:wake", strong.prefix), format!("{}:inbox:{inbox}", strong.prefix)];
    let connecting = async {
        let client = strong.link.subscriber(attempt).await.ok()?;
        let mut pubsub = client.get_async_pubsub().await.ok()?;
        pubsub.subscribe(&channels[..]).await.ok()?;
        Some(pubsub)
    };
    let connected = timeout(ANSWER, connecting).await;
    drop(deaf.take());
    drop(strong);
    let Ok(Some(pubsub)) = connected else { return Ended::Broken { worked: false } };
    let (mut sink, mut stream) = pubsub.split();
    // What was published before this moment was not heard.
    if sender.send(Wake::All).is_err() {
        return Ended::Unheard;
    }
    let mut pings = interval(PING);
    pings.reset();
    loop {
        tokio::select! {
            () = sender.closed() => return Ended::Unheard,
            message = poll_fn(|context| Pin::new(&mut stream).poll_next(context)) => {
                let Some(message) = message else { return Ended::Broken { worked: true } };
                if let Some(wake) = heard(&message)
                    && sender.send(wake).is_err()
                {
                    return Ended::Unheard;
                }
            }
            _ = pings.tick() => {
                if !matches!(timeout(ANSWER, sink.ping::<butterfly_model::redis::Value>()).await, Ok(Ok(_))) {
                    return Ended::Broken { worked: true };
                }
            }
        }
    }
}

/// What a publication says: `t/topic`, `c123 /topic`, and in an inbox `123 /topic` or `@id`.
fn heard(message: &Msg) -> Option<Wake> {
    let text = std::str::from_utf8(message.get_payload_bytes()).ok()?;
    if !message.get_channel_name().ends_with(":wake") {
        if let Some(id) = text.strip_prefix('@') {
            return Some(Wake::Ended(MsgId::Given(id.into())));
        }
        let (seq, topic) = text.split_once(' ')?;
        return Some(Wake::Ended(MsgId::Ours { tag: tag(&braced(topic)), seq: seq.parse().ok()? }));
    }
    if let Some(topic) = text.strip_prefix('t') {
        return Some(Wake::Topic(braced(topic).into()));
    }
    let (seq, topic) = text.strip_prefix('c')?.split_once(' ')?;
    Some(Wake::Cancelled(braced(topic).into(), seq.parse().ok()?))
}

/// The topic of a key: there it has its braces as `<` and `>`.
fn braced(topic: &str) -> String {
    topic.replace('<', "{").replace('>', "}")
}
