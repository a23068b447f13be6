//! A call on its way into the queue: what a sender may say of it.

use std::any::type_name;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use butterfly_core::{Ctx, Error, Job, Result};
#[cfg(feature = "sql")]
use butterfly_model::sql::sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::bad;
use crate::message::{
    Hold, LATEST, Message, Millis, MsgId, NewMessage, PRIORITY_MAX, Second, State, Unique, after,
};
use crate::queue::{Queue, accepted};
use crate::topic::Topic;
use crate::worker::Run;

/// A call to be queued: await it, after saying what is special about it.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use butterfly_core::{Ctx, Job, Result};
/// use butterfly_queue::EnqueueExt;
///
/// async fn order(ctx: &Ctx) -> Result<String> {
///     let job: Job<()> = Job::new("/shop/send_mail").arg("order", &7);
///     let receipt = ctx.enqueue(job).delay(Duration::from_secs(60)).unique("order-7").await?;
///     Ok(receipt.id.to_string())
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is queued before it is awaited"]
pub struct Enqueue<'c, R> {
    queue: Result<Queue>,
    path: String,
    args: Result<String>,
    said: Said,
    /// The call that sends.
    origin: Option<&'c Ctx>,
    /// The transaction that it is sent with.
    #[cfg(feature = "sql")]
    tx: Option<&'c DatabaseTransaction>,
    reply: PhantomData<fn() -> R>,
}

/// What the sender said beyond the call.
#[derive(Debug, Default)]
struct Said {
    id: Option<String>,
    run_at: Option<Millis>,
    priority: Option<u8>,
    unique: Option<Unique>,
    retries: Option<u32>,
    timeout: Option<Duration>,
    ttl: Option<Duration>,
    result_ttl: Option<Option<Duration>>,
    failure_ttl: Option<Option<Duration>>,
    description: Option<String>,
    waits: bool,
    unlogged: bool,
}

/// What a sender gets: the message is in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The message's id.
    pub id: MsgId,
    /// False when the message was there already, under its id or its unique key.
    pub new: bool,
}

/// The longest unique key, in bytes.
const UNIQUE_MAX: usize = 512;
/// The longest description, in bytes.
const DESCRIPTION_MAX: usize = 4096;

impl<'c, R> Enqueue<'c, R> {
    pub(crate) fn new(queue: Result<Queue>, path: String, args: Result<String>) -> Self {
        Self {
            queue,
            path,
            args,
            said: Said::default(),
            origin: None,
            #[cfg(feature = "sql")]
            tx: None,
            reply: PhantomData,
        }
    }

    /// Sends with this transaction: the message comes into the queue if and only if the transaction is committed. See
    /// [`outbox`](crate::outbox).
    #[cfg(feature = "sql")]
    pub fn within(mut self, tx: &'c DatabaseTransaction) -> Self {
        self.tx = Some(tx);
        self
    }

    /// Sends as this call: the message carries its id, its caller and the message that it runs; the call's line in the
    /// access log names the message.
    pub fn from(mut self, ctx: &'c Ctx) -> Self {
        self.origin = Some(ctx);
        self
    }

    /// Sends as this call, which names the message in its log line itself.
    pub(crate) fn unlogged(mut self, ctx: &'c Ctx) -> Self {
        self.said.unlogged = true;
        self.from(ctx)
    }

    /// Not before so long from now.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.said.run_at = Some(after(delay));
        self
    }

    /// Not before this time.
    pub fn at(mut self, time: SystemTime) -> Self {
        self.said.run_at = Some(time.duration_since(UNIX_EPOCH).map_or(0, ms));
        self
    }

    /// 0 to 9, higher first; 4 when nothing is said.
    pub fn priority(mut self, priority: u8) -> Self {
        self.said.priority = Some(priority);
        self
    }

    /// A name of the sender's for the message: sent twice, it is still one message.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.said.id = Some(id.into());
        self
    }

    /// Dropped if a message under this key waits or runs; its id is given instead.
    pub fn unique(self, key: impl Into<String>) -> Self {
        self.held(key, Hold::WhileAlive, Second::Dropped)
    }

    /// Dropped if a message under this key was sent less than `window` ago.
    pub fn unique_for(self, key: impl Into<String>, window: Duration) -> Self {
        self.held(key, Hold::For(ms(window).max(1)), Second::Dropped)
    }

    /// Runs `quiet` after the last message under this key: each one replaces the one before and puts its time off.
    pub fn debounce(self, key: impl Into<String>, quiet: Duration) -> Self {
        self.delay(quiet).held(key, Hold::WhileAlive, Second::Replaces)
    }

    fn held(mut self, key: impl Into<String>, hold: Hold, second: Second) -> Self {
        self.said.unique = Some(Unique { key: key.into(), hold, second });
        self
    }

    /// How often a failed run is tried again.
    pub fn retries(mut self, retries: u32) -> Self {
        self.said.retries = Some(retries);
        self
    }

    /// How long one run may take; zero is without a limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.said.timeout = Some(timeout);
        self
    }

    /// How long the message may wait for its first run before it fails.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.said.ttl = Some(ttl);
        self
    }

    /// How long the message is kept once it is finished: zero not at all, `None` for ever.
    pub fn result_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.said.result_ttl = Some(ttl);
        self
    }

    /// How long the message is kept once it failed; `None` for ever.
    pub fn failure_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.said.failure_ttl = Some(ttl);
        self
    }

    /// A text for people.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.said.description = Some(text.into());
        self
    }

    /// This process will wait for the end with [`Queue::ended`](crate::Queue::ended), and is told of it at once.
    /// [`wait`](Self::wait) and [`ended`](Self::ended) say so themselves.
    pub fn awaited(mut self) -> Self {
        self.said.waits = true;
        self
    }

    /// The message, checked.
    pub(crate) fn prepare(self) -> Result<(Queue, Topic, NewMessage)> {
        let (queue, args, said) = (self.queue?, self.args?, self.said);
        let (topic, entry) = queue.0.catalog.topic(&self.path)?;
        said.check()?;
        let mut spec = queue.0.catalog.spec(entry, args)?;
        spec.priority = said.priority.unwrap_or(spec.priority);
        spec.retries = said.retries.unwrap_or(spec.retries);
        spec.timeout_ms = said.timeout.map_or(spec.timeout_ms, ms);
        spec.ttl_ms = said.ttl.map(ms);
        spec.result_ttl_ms = said.result_ttl.map_or(spec.result_ttl_ms, |ttl| ttl.map(ms));
        spec.failure_ttl_ms = said.failure_ttl.map_or(spec.failure_ttl_ms, |ttl| ttl.map(ms));
        spec.description = said.description;
        spec.notify = said.waits.then(|| queue.0.bus.inbox());
        if let Some(ctx) = self.origin {
            spec.reqid = ctx.reqid();
            spec.user = Some(ctx.username().to_owned()).filter(|name| name != "-");
            spec.ip = ctx.ip();
            spec.parent = ctx.local::<Run>().and_then(Run::id).map(|id| id.to_string());
        }
        let id = said.id.map(String::into_boxed_str);
        Ok((queue, topic, NewMessage { spec, id, run_at: said.run_at, unique: said.unique }))
    }

    async fn accepted(self) -> Result<(Queue, Topic, Receipt)> {
        let origin = self.origin.filter(|_| !self.said.unlogged);
        #[cfg(feature = "sql")]
        if let Some(tx) = self.tx {
            let (queue, topic, message) = self.prepare()?;
            let id = crate::outbox::write(&queue, tx, &topic, message).await?;
            if let Some(ctx) = origin {
                // It is enqueued only by the commit, of which this call does not hear.
                ctx.note(format!("outbox={id}"));
            }
            return Ok((queue, topic, Receipt { id, new: true }));
        }
        let (queue, topic, message) = self.prepare()?;
        let accepted = accepted(queue.0.sender.send(&topic, message).await)?;
        if let Some(ctx) = origin {
            ctx.note(format!("enqueued={}", accepted.id));
        }
        Ok((queue, topic, Receipt { id: accepted.id, new: accepted.new }))
    }

    /// Queues the call, waits until a worker has run it, and gives the whole message.
    ///
    /// # Errors
    ///
    /// As for queuing alone; `ERR_MSG_NOT_EXIST` when the message was deleted, or is not kept (`result_ttl` zero).
    pub async fn ended(self) -> Result<Message> {
        #[cfg(feature = "sql")]
        if self.tx.is_some() {
            return Err(Error::server(
                "a message sent within a transaction runs after its commit: wait for it there, not inside",
            ));
        }
        let (queue, topic, receipt) = self.awaited().accepted().await?;
        queue.ended(&topic.path, &receipt.id).await
    }
}

impl<R: DeserializeOwned> Enqueue<'_, R> {
    /// Calls the handler over the queue: queues, waits, and gives its answer. Give it a time limit with
    /// `tokio::time::timeout`; the message stays queued when the wait is given up.
    ///
    /// # Errors
    ///
    /// The handler's own stat and reason; `ERR_SERVER_EXCEPTION` when it failed or answered with something else than
    /// `R`; and as for queuing alone.
    pub async fn wait(self) -> Result<R> {
        answer(&self.ended().await?)
    }
}

impl<'c, R: 'static> IntoFuture for Enqueue<'c, R> {
    type Output = Result<Receipt>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Receipt>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.accepted().await?.2) })
    }
}

impl Said {
    fn check(&self) -> Result<()> {
        if let Some(priority) = self.priority.filter(|priority| *priority > PRIORITY_MAX) {
            return Err(bad("priority", format!("must be in 0..={PRIORITY_MAX}, got {priority}")));
        }
        if self.run_at.is_some_and(|at| at > LATEST) {
            return Err(bad("at", "must be before the year 10000"));
        }
        if let Some(id) = &self.id {
            match id.parse::<MsgId>() {
                Ok(MsgId::Given(_)) => {}
                Ok(MsgId::Ours { .. }) => {
                    return Err(bad("msg_id", "21 hex digits are the queue's own ids: choose another form"));
                }
                Err(error) => return Err(bad("msg_id", error.to_string())),
            }
        }
        let long = |name, length: usize, most| match length > most {
            true => Err(bad(name, format!("must have at most {most} bytes, has {length}"))),
            false => Ok(()),
        };
        long("unique", self.unique.as_ref().map_or(0, |unique| unique.key.len()), UNIQUE_MAX)?;
        long("description", self.description.as_ref().map_or(0, String::len), DESCRIPTION_MAX)
    }
}

/// The answer of a message that ended.
fn answer<R: DeserializeOwned>(message: &Message) -> Result<R> {
    let document = message.result.as_deref().unwrap_or("{}");
    let failed = || message.error.clone().unwrap_or_else(|| "failed without a reason".into());
    if message.state == State::Failed {
        return Err(Error::server(format!("{}: {}", message.id, failed())));
    }
    let stat = message.stat.as_deref().unwrap_or("OK");
    let mut value: Value = serde_json::from_str(document)?;
    if stat != "OK" {
        let reason = value.get("reason").and_then(Value::as_str).unwrap_or_default();
        return Err(Error::business_because(stat.to_owned(), reason));
    }
    if let Some(fields) = value.as_object_mut() {
        fields.remove("stat");
    }
    typed(value).map_err(|error| {
        Error::server(format!("the answer of {} is no {}: {error}", message.topic, type_name::<R>()))
    })
}

/// An object's fields stand beside `stat`, any other value under `data`, nothing at all for `()`.
fn typed<R: DeserializeOwned>(value: Value) -> Result<R, serde_json::Error> {
    match &value {
        Value::Object(fields) if fields.is_empty() => {
            serde_json::from_value(Value::Null).or_else(|_| serde_json::from_value(value))
        }
        Value::Object(fields) if fields.len() == 1 => match fields.get("data") {
            Some(data) => serde_json::from_value(data.clone()).or_else(|_| serde_json::from_value(value)),
            None => serde_json::from_value(value),
        },
        _ => serde_json::from_value(value),
    }
}

/// The queue from inside a handler.
pub trait EnqueueExt {
    /// Queues a call of a handler: the message carries this call's id and caller.
    ///
    /// # Example
    ///
    /// ```
    /// # use butterfly_core::{Ctx, Job, Result};
    /// use butterfly_queue::EnqueueExt;
    ///
    /// async fn buy(ctx: &Ctx, order: u64) -> Result<()> {
    ///     ctx.enqueue(Job::<()>::new("/shop/send_mail").arg("order", &order)).await?;
    ///     Ok(())
    /// }
    /// ```
    fn enqueue<R>(&self, job: Job<R>) -> Enqueue<'_, R>;

    /// Queues many calls in few steps: [`Queue::enqueue_many`].
    fn enqueue_many<R: 'static>(
        &self,
        jobs: impl IntoIterator<Item = Job<R>, IntoIter: Send> + Send,
    ) -> impl Future<Output = Result<Vec<MsgId>>> + Send;

    /// The queue itself.
    ///
    /// # Errors
    ///
    /// A server fault, when the program has none.
    fn queue(&self) -> Result<&Queue>;

    /// Says how far this call is, for those who look at its message. Nothing is written at once: the worker tells the
    /// engine when it renews the lease. At other doors it does nothing.
    fn progress(&self, progress: &impl Serialize);

    /// Which run of its message this call is, from 1; always 1 at other doors.
    ///
    /// Runs that failed and runs whose worker died count, those that the handler itself put off
    /// ([`retry_after`](crate::retry_after)) do not.
    fn attempt(&self) -> u32;
}

impl EnqueueExt for Ctx {
    fn enqueue<R>(&self, job: Job<R>) -> Enqueue<'_, R> {
        Enqueue::new(self.queue().cloned(), job.path().to_owned(), job.args()).from(self)
    }

    async fn enqueue_many<R: 'static>(
        &self,
        jobs: impl IntoIterator<Item = Job<R>, IntoIter: Send> + Send,
    ) -> Result<Vec<MsgId>> {
        self.queue()?.enqueue_many_as(Some(self), jobs).await
    }

    fn queue(&self) -> Result<&Queue> {
        self.state()
    }

    fn progress(&self, progress: &impl Serialize) {
        if let (Some(run), Ok(text)) = (self.local::<Run>(), serde_json::to_string(progress)) {
            run.set_progress(text);
        }
    }

    fn attempt(&self) -> u32 {
        self.local::<Run>().map_or(1, Run::attempt)
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
