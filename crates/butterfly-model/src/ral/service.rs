//! A service, and calls to it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use butterfly_core::{Ctx, ReqId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::address::{Address, Failure};
use super::deadline::Deadline;
use super::frame::write_frame;
use super::options::ServiceBuilder;
use super::spread::{order, order_by_key};
use super::{Nshead, RalError, RalErrorKind, Value, decode, encode, from_value, to_value};

/// The pause before the same address is tried again; twice as long each time.
const PAUSE: Duration = Duration::from_millis(20);

/// Where services are described.
#[derive(Debug, Clone, Copy)]
pub struct Ral;

impl Ral {
    /// Describes a service. Its name stands in errors, in the log and in the talk marks of calls.
    pub fn service(name: &'static str) -> ServiceBuilder {
        ServiceBuilder::new(name)
    }
}

/// A service at one or several addresses. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: ServiceBuilder,
    addresses: Vec<Arc<Address>>,
    turn: AtomicUsize,
}

/// What is known of an address just now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressState {
    /// The address, `host:port`.
    pub address: String,
    /// How many calls are on their way, those that wait for a connection included.
    pub in_flight: usize,
    /// How many unused connections are kept.
    pub idle: usize,
    /// Whether it has failed so often that calls are kept away.
    pub resting: bool,
}

impl Service {
    pub(super) fn of(options: ServiceBuilder) -> Self {
        let addresses = options.addresses.iter().map(|text| Arc::new(Address::new(text, &options))).collect();
        Self(Arc::new(Inner { options, addresses, turn: AtomicUsize::new(0) }))
    }

    /// The name of the service.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.options.name
    }

    /// Asks as part of a call: its reqid becomes the log id, its deadline holds, and the time that this takes stands in its
    /// log line as `talk:NAME`.
    ///
    /// # Errors
    ///
    /// When no answer comes, or not one of this type; the error names service and address.
    pub async fn call<A: DeserializeOwned>(
        &self,
        ctx: &Ctx,
        ask: &(impl Serialize + ?Sized + Sync),
    ) -> Result<A, RalError> {
        self.request().ctx(ctx).send(ask).await
    }

    /// A request with options of its own.
    pub fn request(&self) -> Request<'_> {
        Request {
            service: self,
            ctx: None,
            head: Nshead::new(&self.0.options.provider),
            log_id: None,
            idempotent: false,
            key: None,
            timeout: None,
        }
    }

    /// What is known of the addresses just now.
    #[must_use]
    pub fn state(&self) -> Vec<AddressState> {
        self.0.addresses.iter().map(|address| address.state()).collect()
    }

    fn order(&self, key: Option<&[u8]>) -> Vec<usize> {
        let Inner { options, addresses, turn } = &*self.0;
        if let Some(key) = key {
            return order_by_key(key, addresses.iter().map(|address| address.text()));
        }
        let loads: Vec<usize> = addresses.iter().map(|address| address.in_flight()).collect();
        order(options.spread, turn, &loads)
    }

    /// The answer, and the address that gave it.
    async fn ask(
        &self,
        frame: &[u8],
        request: &Request<'_>,
        deadline: Deadline,
    ) -> Result<(Nshead, Vec<u8>, &Address), RalError> {
        let options = &self.0.options;
        let order = self.order(request.key.as_deref());
        let mut next = order.iter().cycle();
        let mut possibly_processed = false;
        let mut last = None;
        let mut tried = Vec::new();
        for attempt in 0..=options.retries {
            // The next address that does not rest, all of them once.
            let admitted = next.by_ref().take(order.len()).find_map(|index| {
                let address = &self.0.addresses[*index];
                address.admit().map(|pass| (*index, address, pass))
            });
            let Some((index, address, pass)) = admitted else { break };
            let rounds = tried.iter().filter(|known| **known == index).count() as u32;
            if rounds > 0 {
                let pause = PAUSE * 2u32.saturating_pow((rounds - 1).min(6));
                tokio::time::sleep(deadline.limit(pause).0).await;
            }
            tried.push(index);
            let failure = match address.exchange(frame, options, deadline).await {
                Ok((head, body)) => {
                    pass.good();
                    return Ok((head, body, address));
                }
                Err(failure) => failure,
            };
            if failure.counts && pass.bad(Instant::now()) {
                let rest = options.breaker_rest;
                tracing::warn!(
                    "service {} at {} is left in peace for {rest:?}: {}",
                    options.name,
                    address.text(),
                    failure.what
                );
            }
            possibly_processed |= failure.possibly_processed;
            let again = failure.again && (request.idempotent || !failure.possibly_processed);
            let Failure { kind, what, .. } = failure;
            last = Some(RalError::new(options.name, kind, what).at(address.text()).after(attempt + 1));
            if !again {
                break;
            }
        }
        let error = last.unwrap_or_else(|| {
            let count = order.len();
            let what = format!(
                "no answer lately from any of its {count} addresses, they are left in peace for a while"
            );
            RalError::new(options.name, RalErrorKind::Resting, what)
        });
        Err(error.processed(possibly_processed))
    }
}

/// One request to a service, with options of its own.
///
/// Dropping the future of a call gives it up: its connection is closed, because an answer may still come there.
#[derive(Debug)]
#[must_use = "nothing is sent before send"]
pub struct Request<'a> {
    service: &'a Service,
    ctx: Option<&'a Ctx>,
    head: Nshead,
    log_id: Option<u32>,
    idempotent: bool,
    key: Option<Vec<u8>>,
    timeout: Option<Duration>,
}

impl<'a> Request<'a> {
    /// Asks as part of a call: see [`Service::call`].
    pub fn ctx(mut self, ctx: &'a Ctx) -> Self {
        self.ctx = Some(ctx);
        self
    }

    /// Another log id than that of the call.
    pub fn log_id(mut self, log_id: u32) -> Self {
        self.log_id = Some(log_id);
        self
    }

    /// Another id in the header than 0.
    pub fn id(mut self, id: u16) -> Self {
        self.head.id = id;
        self
    }

    /// Another version in the header than 0.
    pub fn version(mut self, version: u16) -> Self {
        self.head.version = version;
        self
    }

    /// Says that it does no harm when the service does this twice: it is tried again even where it may have been processed.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Goes to the address that belongs to this key, as do all requests with the key; to the next one while that one fails.
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// How long all of it may take, attempts and waiting included; by default as long as the call has left.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Sends what is asked, and reads the answer.
    ///
    /// # Errors
    ///
    /// When it cannot be said in mcpack, no answer comes, or not one of this type; the error names service and address.
    pub async fn send<A: DeserializeOwned>(
        self,
        ask: &(impl Serialize + ?Sized + Sync),
    ) -> Result<A, RalError> {
        let name = self.service.name();
        let ask =
            to_value(ask).map_err(|error| RalError::new(name, RalErrorKind::Encode, error.to_string()))?;
        let (answer, address) = self.exchange_value(&ask).await?;
        from_value(answer).map_err(|error| unread(name, address, error.to_string()))
    }

    /// Sends a value, and reads the one that is the answer.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_value(self, ask: &Value) -> Result<Value, RalError> {
        Ok(self.exchange_value(ask).await?.0)
    }

    /// Sends a body as it is, for services that do not speak mcpack within nshead; gives the answer's header and body.
    ///
    /// # Errors
    ///
    /// When no answer comes; the error names service and address.
    pub async fn send_bytes(self, body: &[u8]) -> Result<(Nshead, Vec<u8>), RalError> {
        let (head, body, _) = self.exchange(body).await?;
        Ok((head, body))
    }

    async fn exchange_value(self, ask: &Value) -> Result<(Value, &'a Address), RalError> {
        let options = &self.service.0.options;
        let name = options.name;
        let body =
            encode(ask).map_err(|error| RalError::new(name, RalErrorKind::Encode, error.to_string()))?;
        let (_, body, address) = self.exchange(&body).await?;
        let answer =
            decode(&body, options.limits).map_err(|error| unread(name, address, error.to_string()))?;
        Ok((answer, address))
    }

    async fn exchange(self, body: &[u8]) -> Result<(Nshead, Vec<u8>, &'a Address), RalError> {
        let name = self.service.name();
        let _spent = self.ctx.map(|ctx| Spent { ctx, name, since: Instant::now() });
        let log_id = self.log_id.unwrap_or_else(|| {
            let reqid = self.ctx.map(Ctx::reqid).or_else(butterfly_core::current::reqid);
            log_id(reqid.unwrap_or_default())
        });
        let frame = write_frame(Nshead { log_id, ..self.head }, body)
            .ok_or_else(|| RalError::new(name, RalErrorKind::Encode, "a body of more than 4 GiB"))?;
        let left = [self.timeout, self.ctx.and_then(Ctx::remaining)].into_iter().flatten().min();
        self.service.ask(&frame, &self, Deadline::after(left)).await
    }
}

/// The error of an answer that came and is not what was expected.
fn unread(name: &'static str, address: &Address, what: String) -> RalError {
    RalError::new(name, RalErrorKind::Decode, what).at(address.text()).processed(true)
}

/// Notes the time of a request even where it is given up.
struct Spent<'a> {
    ctx: &'a Ctx,
    name: &'static str,
    since: Instant,
}

impl Drop for Spent<'_> {
    fn drop(&mut self) {
        self.ctx.spend(self.name, self.since.elapsed());
    }
}

/// The log id of a call: the lower 32 bits of its reqid where that is 16 hex digits, else a hash of it. What was logged
/// under one is so found under the other.
///
/// # Example
///
/// ```
/// let reqid = "0123456789ABCDEF".parse().unwrap();
/// assert_eq!(butterfly_model::ral::log_id(reqid), 0x89ABCDEF);
/// ```
#[must_use]
pub fn log_id(reqid: ReqId) -> u32 {
    let text = reqid.as_str().trim_start_matches("DEV_");
    match u64::from_str_radix(text, 16) {
        Ok(bits) if text.len() == 16 => bits as u32,
        _ => text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)),
    }
}

impl Address {
    fn state(&self) -> AddressState {
        AddressState {
            address: self.text().to_owned(),
            in_flight: self.in_flight(),
            idle: self.idle(),
            resting: self.is_resting(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ids_follow_the_reqid() {
        let one = ReqId::new();
        assert_eq!(log_id(one), log_id(one.prefixed("DEV_").unwrap()));
        assert_ne!(log_id(one), log_id(ReqId::new()));
        let foreign = "0b4c9f5e-6f0e-4a61-9d5c-1d5a3d0a7c11".parse().unwrap();
        assert_eq!(log_id(foreign), log_id(foreign));
        assert_ne!(log_id(foreign), log_id("+123456789ABCDEF".parse().unwrap_or(one)));
    }

    #[test]
    fn a_wrong_description_is_refused_by_name() {
        let wrong = |builder: ServiceBuilder, what: &str| {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), RalErrorKind::Config);
            assert!(error.to_string().starts_with("service users: "), "{error}");
            assert!(error.to_string().contains(what), "{error}");
        };
        let good = || Ral::service("users").address("localhost:1");
        assert!(good().build().is_ok());
        wrong(Ral::service("users"), "no address");
        for bad in ["", "host", ":80", "host:", "host:0", "host:65536", "host:http"] {
            wrong(Ral::service("users").address(bad), &format!("{bad:?} is not host:port"));
        }
        wrong(good().address("localhost:1"), "localhost:1 comes twice");
        wrong(good().max_connections(0), "max_connections: zero");
        wrong(good().max_connections(usize::MAX), "max_connections: ");
        wrong(good().max_body(0), "max_body: zero");
        wrong(good().breaker(0, PAUSE), "breaker: zero");
        wrong(good().provider("a provider too long"), "longer than 16 bytes");
    }
}
