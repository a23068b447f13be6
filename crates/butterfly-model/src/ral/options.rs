//! A service described: where it is, how long it may take, how it is asked.

use std::time::Duration;

use super::{Limits, RalError, RalErrorKind, Service, Spread};

/// A service being described; [`build`](Self::build) makes it.
#[derive(Debug, Clone)]
#[must_use = "nothing happens before build"]
pub struct ServiceBuilder {
    pub(super) name: &'static str,
    pub(super) addresses: Vec<String>,
    pub(super) spread: Spread,
    pub(super) provider: String,
    pub(super) connect_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) retries: u32,
    pub(super) max_connections: usize,
    pub(super) pool_timeout: Duration,
    pub(super) max_idle: usize,
    pub(super) idle_timeout: Duration,
    pub(super) max_body: usize,
    pub(super) limits: Limits,
    pub(super) breaker_failures: u32,
    pub(super) breaker_rest: Duration,
}

impl ServiceBuilder {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            addresses: Vec::new(),
            spread: Spread::default(),
            provider: "butterfly".into(),
            connect_timeout: Duration::from_millis(500),
            write_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(3),
            retries: 1,
            max_connections: 64,
            pool_timeout: Duration::from_secs(1),
            max_idle: 16,
            idle_timeout: Duration::from_secs(60),
            max_body: 16 << 20,
            limits: Limits::default(),
            breaker_failures: 5,
            breaker_rest: Duration::from_secs(2),
        }
    }

    /// Adds an address, `host:port`. A name is looked up at every connect.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// Adds addresses.
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.addresses.extend(addresses.into_iter().map(Into::into));
        self
    }

    /// How calls are spread over the addresses; each in turn by default.
    pub fn spread(mut self, spread: Spread) -> Self {
        self.spread = spread;
        self
    }

    /// Who the requests say they come from, at most 16 bytes; `butterfly` by default.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = provider.into();
        self
    }

    /// How long connecting may take, the look-up of the name included; 500 ms by default.
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// How long sending the whole request may take; one second by default.
    pub fn write_timeout(mut self, time: Duration) -> Self {
        self.write_timeout = time;
        self
    }

    /// How long the whole answer may take from when the request is sent; three seconds by default.
    pub fn read_timeout(mut self, time: Duration) -> Self {
        self.read_timeout = time;
        self
    }

    /// How often a call is tried again, on the next address; once by default. A request that may have been processed is sent
    /// again only when it is [`idempotent`](super::Request::idempotent).
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How many connections there may be to each address; 64 by default.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = count;
        self
    }

    /// How long a call may wait for a connection when all are in use; one second by default.
    pub fn pool_timeout(mut self, time: Duration) -> Self {
        self.pool_timeout = time;
        self
    }

    /// How many unused connections are kept for each address; 16 by default.
    pub fn max_idle(mut self, count: usize) -> Self {
        self.max_idle = count;
        self
    }

    /// After how long an unused connection is not used again; one minute by default.
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.idle_timeout = time;
        self
    }

    /// The longest body of an answer, in bytes; 16 MiB by default.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How deep and how many the values of an answer may be, and whether zeros behind it are passed over.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// After how many failures in a row an address is left in peace, and for how long: five, and two seconds, by default.
    /// Then one call is let through to find out.
    pub fn breaker(mut self, failures: u32, rest: Duration) -> Self {
        self.breaker_failures = failures;
        self.breaker_rest = rest;
        self
    }

    /// Makes the service. Nothing is connected before the first call.
    ///
    /// # Errors
    ///
    /// When there is no address, one is no `host:port` or comes twice, or a limit is zero.
    pub fn build(self) -> Result<Service, RalError> {
        let wrong = |what: String| RalError::new(self.name, RalErrorKind::Config, what);
        if self.addresses.is_empty() {
            return Err(wrong("no address: add .address(\"host:port\")".into()));
        }
        for (index, address) in self.addresses.iter().enumerate() {
            let parts = address.rsplit_once(':');
            let good = parts
                .is_some_and(|(host, port)| is_host(host) && port.parse().is_ok_and(|port: u16| port > 0));
            if !good {
                return Err(wrong(format!("the address {address:?} is not host:port")));
            }
            if self.addresses[..index].contains(address) {
                return Err(wrong(format!("the address {address} comes twice")));
            }
        }
        if self.provider.len() > 16 {
            return Err(wrong(format!("provider: {:?} is longer than 16 bytes", self.provider)));
        }
        let sizes = [
            ("max_connections", self.max_connections),
            ("max_body", self.max_body),
            ("breaker", self.breaker_failures as usize),
        ];
        for (name, value) in sizes {
            if value == 0 {
                return Err(wrong(format!("{name}: zero leaves nothing to work with")));
            }
        }
        if self.max_connections > tokio::sync::Semaphore::MAX_PERMITS {
            return Err(wrong(format!("max_connections: {} is too much", self.max_connections)));
        }
        Ok(Service::of(self))
    }
}

/// Whether it can be a name or an address of a host: no name has other signs, and none is longer.
fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.chars().all(|letter| letter.is_alphanumeric() || "-._:[]%".contains(letter))
}
