//! The connection: one that all calls share, made again by itself, and what its errors mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError as DriverError, Value,
};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::RedisError;
use super::options::{Mode, RedisOptions};
use super::script::Script;
use super::slot::slot;

/// The client of a cluster knows no answer without a limit: this is the longest that a command may wait there.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);
/// After an attempt to connect failed, calls fail at once for so long.
const REST: Duration = Duration::from_millis(100);
/// How often a call is repeated that the server said it did not do.
const TRIES: usize = 4;

/// A Redis: one server, a cluster, or what Sentinel says is the master. Cheap to clone; all clones share one
/// connection, which is made at the first call and made again by itself when it is lost.
///
/// A command that was not answered in time fails with [`RedisError::Unavailable`] and is not sent again: it may have
/// been done. What waits on the server, such as a blocking read, has a connection of its own: see [`Waiting`].
///
/// # Example
///
/// ```no_run
/// # async fn doc() -> Result<(), butterfly_model::redis::RedisError> {
/// use butterfly_model::redis::{Redis, Script, cmd};
///
/// let redis = Redis::open("redis://127.0.0.1:6379")?;
/// redis.command(cmd("SET").arg("greeting").arg("hello")).await?;
/// let text: String = redis.query(cmd("GET").arg("greeting")).await?;
///
/// let twice = Script::new("return redis.call('GET', KEYS[1]) .. ARGV[1]");
/// let answer = redis.run(&twice, "greeting", |call| { call.arg("!"); }).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Redis {
    link: Arc<Link>,
}

#[derive(Debug)]
struct Link {
    options: RedisOptions,
    target: Target,
    live: Mutex<Live>,
    /// What is left of the connections that there may be, beside the one for all calls.
    spare: Option<Arc<Semaphore>>,
}

enum Target {
    One(Client),
    Sentinel(Mutex<SentinelClient>),
    Cluster(ClusterClient),
}

// The clients show passwords.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One",
            Self::Sentinel(_) => "Sentinel",
            Self::Cluster(_) => "Cluster",
        })
    }
}

#[derive(Debug, Default)]
struct Live {
    connection: Option<Connection>,
    /// When it was last given to a call.
    used: Option<Instant>,
    /// Counts the connections, so that a call that failed closes the one it used and no later one.
    life: u64,
    failed: Option<(Instant, RedisError)>,
}

#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Redis {
    /// A Redis that is connected to at the first call.
    ///
    /// # Errors
    ///
    /// [`RedisError::Misconfigured`] when the options do not fit together.
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        let options = options.checked()?;
        let target = target(&options)?;
        let spare = options.max_connections.map(|most| Arc::new(Semaphore::new(most.saturating_sub(1))));
        Ok(Self { link: Arc::new(Link { options, target, live: Mutex::default(), spare }) })
    }

    /// The Redis at an address; see [`RedisOptions`] for its forms.
    ///
    /// # Errors
    ///
    /// [`RedisError::Misconfigured`] when the address cannot be read.
    pub fn open(address: &str) -> Result<Self, RedisError> {
        Self::new(address.parse()?)
    }

    /// How it is reached.
    #[must_use]
    pub fn options(&self) -> &RedisOptions {
        &self.link.options
    }

    /// The key of a thing: the prefix, the kind, and the name in braces, which alone decides of the slot in a cluster.
    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        // Empty braces would decide of nothing; no name is written as a lone `%`.
        let name = if name.is_empty() { "%".to_owned() } else { escaped(name) };
        format!("{}:{kind}:{{{name}}}", self.options().prefix)
    }

    /// Sends one command, and reads the answer as what is asked for.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command); [`RedisError::Unreadable`] when the answer is something else.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        read(self.command(command).await?)
    }

    /// Sends one command.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unavailable`] when Redis is not reached or does not answer in time; others by what the server says.
    pub async fn command(&self, command: &Cmd) -> Result<Value, RedisError> {
        Ok(self.link.send(command).await??)
    }

    /// Runs a script on one key. The arguments are written by `fill`, which is called again where the server has lost
    /// the script.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command); [`RedisError::Script`] for the script's own errors.
    pub async fn run(
        &self,
        script: &Script,
        key: &str,
        fill: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, RedisError> {
        self.run_on(script, &[key], fill).await
    }

    /// Runs a script on several keys, which must have one slot on a cluster.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); [`RedisError::CrossSlot`] when the keys have several slots.
    pub async fn run_on(
        &self,
        script: &Script,
        keys: &[&str],
        fill: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, RedisError> {
        self.check_slots(keys)?;
        let mut by_text = false;
        let mut tries = 0;
        loop {
            let mut command = redis::cmd(if by_text { "EVAL" } else { "EVALSHA" });
            command.arg(if by_text { script.text() } else { script.sha() }).arg(keys.len()).arg(keys);
            fill(&mut command);
            tries += 1;
            match self.link.send(&command).await? {
                Ok(value) => return Ok(value),
                Err(error) if error.code() == Some("NOSCRIPT") && tries < TRIES => by_text = true,
                Err(error) if error.code() == Some("MOVED") && tries < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether one call may have these keys: on a cluster or behind a proxy they must have one slot.
    ///
    /// # Errors
    ///
    /// [`RedisError::CrossSlot`], which names two keys that are apart.
    pub fn check_slots(&self, keys: &[impl AsRef<str>]) -> Result<(), RedisError> {
        let Some((first, rest)) = keys.split_first() else { return Ok(()) };
        if !matches!(self.options().mode, Mode::Cluster | Mode::Proxy) {
            return Ok(());
        }
        let first = first.as_ref();
        match rest.iter().map(AsRef::as_ref).find(|key| slot(key) != slot(first)) {
            Some(other) => Err(RedisError::CrossSlot(format!("the keys {first:?} and {other:?}"))),
            None => Ok(()),
        }
    }

    /// A connection of one's own for commands that wait on the server.
    ///
    /// # Errors
    ///
    /// [`RedisError::Misconfigured`] when there are as many connections as `max_connections` allows, or behind a proxy,
    /// which lets nothing wait; [`RedisError::Unavailable`] when Redis is not reached.
    pub async fn waiting(&self) -> Result<Waiting, RedisError> {
        if self.options().mode == Mode::Proxy {
            return Err(RedisError::Misconfigured(
                "behind a proxy nothing can wait on Redis: ask by a timer".into(),
            ));
        }
        let permit = match &self.link.spare {
            None => None,
            Some(spare) => Some(Arc::clone(spare).try_acquire_owned().map_err(|_| {
                let most = self.options().max_connections.unwrap_or_default();
                RedisError::Misconfigured(format!(
                    "all of the {most} connections to Redis that max_connections allows are taken: raise it"
                ))
            })?),
        };
        let connection = self.link.connect(None).await.map_err(|error| self.link.placed(error))?;
        Ok(Waiting { connection, slack: self.options().answer_timeout, _permit: permit })
    }

    /// A client for a connection of one's own, to subscribe on. Any node of a cluster hears what any other says; the
    /// number of the attempt says which one is asked.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unavailable`] when no sentinel answers.
    pub async fn subscriber(&self, attempt: usize) -> Result<Client, RedisError> {
        match &self.link.target {
            Target::One(client) => Ok(client.clone()),
            Target::Sentinel(client) => Ok(client.lock().await.async_get_client().await?),
            Target::Cluster(_) => {
                let hosts = &self.options().hosts;
                client(self.options(), &hosts[attempt % hosts.len()])
            }
        }
    }
}

/// Makes a text fit to be part of a key: `%`, `:`, braces and what cannot be printed are written as `%` and two digits.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | ':' | '{' | '}' | '\u{0}'..='\u{1f}' | '\u{7f}' => {
                // All of these are below 128.
                out.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Reads an answer as what is asked for.
pub(super) fn read<T: FromRedisValue>(value: Value) -> Result<T, RedisError> {
    redis::from_redis_value(value).map_err(|error| RedisError::Unreadable(error.to_string()))
}

/// A connection of one's own, for commands that wait on the server; see [`Redis::waiting`].
#[derive(Debug)]
pub struct Waiting {
    connection: Connection,
    slack: Duration,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    /// Sends a command that may wait so long on the server.
    ///
    /// # Errors
    ///
    /// [`RedisError::Unavailable`] when there is no answer in that time and the usual one; the connection is then to be
    /// dropped, since the answer may still come.
    pub async fn command(&mut self, command: &Cmd, wait: Duration) -> Result<Value, RedisError> {
        let sending = self.connection.send(command);
        match tokio::time::timeout(wait.saturating_add(self.slack), sending).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(RedisError::Unavailable("no answer in time to a command that waits".into())),
        }
    }
}

impl Connection {
    async fn send(&mut self, command: &Cmd) -> Result<Value, DriverError> {
        match self {
            Self::One(one) => command.query_async(one).await,
            Self::Cluster(cluster) => command.query_async(cluster).await,
        }
    }
}

impl Link {
    /// Sends one command. The outer error says that there is no connection, the inner one is the server's.
    async fn send(&self, command: &Cmd) -> Result<Result<Value, DriverError>, RedisError> {
        let (mut connection, life) = self.connection().await?;
        let answer = connection.send(command).await;
        if let Err(error) = &answer
            && is_broken(error)
            && !matches!(connection, Connection::Cluster(_))
        {
            self.close(life).await;
        }
        Ok(answer)
    }

    async fn connection(&self) -> Result<(Connection, u64), RedisError> {
        let mut live = self.live.lock().await;
        if let Some(connection) = &live.connection {
            let mut connection = connection.clone();
            if self.options.health_check_interval.is_none() || self.is_well(&mut connection, live.used).await
            {
                live.used = Some(Instant::now());
                return Ok((connection, live.life));
            }
            live.connection = None;
        }
        if let Some((when, error)) = &live.failed
            && when.elapsed() < REST
        {
            return Err(error.clone());
        }
        match self.connect(Some(self.options.answer_timeout)).await.map_err(|error| self.placed(error)) {
            Ok(connection) => {
                live.connection = Some(connection.clone());
                live.used = Some(Instant::now());
                live.life += 1;
                live.failed = None;
                Ok((connection, live.life))
            }
            Err(error) => {
                live.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Whether a connection can be used that was used last then: after a long rest it is tried.
    async fn is_well(&self, connection: &mut Connection, used: Option<Instant>) -> bool {
        let Some(interval) = self.options.health_check_interval else { return true };
        let rested = used.is_none_or(|used| used.elapsed() >= interval);
        let is_tried = rested && matches!(connection, Connection::One(_)) && self.options.mode != Mode::Proxy;
        !is_tried || connection.send(&redis::cmd("PING")).await.is_ok()
    }

    /// The error of a Redis that is not reached, with where it was looked for.
    fn placed(&self, error: RedisError) -> RedisError {
        let RedisError::Unavailable(why) = error else { return error };
        let places: Vec<String> =
            self.options.hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        RedisError::Unavailable(format!("Redis at {}: {why}", places.join(", ")))
    }

    /// A new connection, whose answers may take so long.
    async fn connect(&self, answer: Option<Duration>) -> Result<Connection, RedisError> {
        let limit = self.options.connect_timeout * 2;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.connect_timeout))
            .set_response_timeout(answer);
        let connecting = async {
            match &self.target {
                Target::One(client) => {
                    client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One)
                }
                Target::Sentinel(client) => {
                    let mut client = client.lock().await;
                    client.get_async_connection_with_config(&config).await.map(Connection::One)
                }
                Target::Cluster(client) if answer.is_some() => {
                    client.get_async_connection().await.map(Connection::Cluster)
                }
                Target::Cluster(_) => {
                    let client = cluster(&self.options, FOREVER)?;
                    client.get_async_connection().await.map(Connection::Cluster)
                }
            }
            .map_err(RedisError::from)
        };
        match tokio::time::timeout(limit, connecting).await {
            Ok(made) => made,
            Err(_) => Err(RedisError::Unavailable("no connection in time".into())),
        }
    }

    async fn close(&self, life: u64) {
        let mut live = self.live.lock().await;
        if live.life == life {
            live.connection = None;
        }
    }
}

fn nodes(options: &RedisOptions) -> impl Iterator<Item = ConnectionAddr> {
    options.hosts.iter().map(|host| address(options, host))
}

fn address(options: &RedisOptions, (host, port): &(String, u16)) -> ConnectionAddr {
    let (host, port) = (host.clone(), *port);
    match options.tls {
        None => ConnectionAddr::Tcp(host, port),
        Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
    }
}

fn target(options: &RedisOptions) -> Result<Target, RedisError> {
    Ok(match &options.mode {
        Mode::Standalone | Mode::Proxy => Target::One(client(options, &options.hosts[0])?),
        Mode::Cluster => Target::Cluster(cluster(options, options.answer_timeout)?),
        Mode::Sentinel { master } => {
            let mut builder = SentinelClientBuilder::new(nodes(options), master, SentinelServerType::Master)?
                .set_client_to_redis_db(i64::from(options.db))
                .set_client_to_redis_protocol(ProtocolVersion::RESP2);
            if let Some(user) = &options.user {
                builder = builder.set_client_to_redis_username(user);
            }
            if let Some(password) = &options.password {
                builder = builder.set_client_to_redis_password(password);
            }
            #[cfg(feature = "redis-tls")]
            if let Some(tls) = &options.tls {
                let certificates = tls.certificates()?;
                builder = builder
                    .set_client_to_sentinel_certificates(certificates.clone())
                    .set_client_to_redis_tls_mode(redis::TlsMode::Secure)
                    .set_client_to_redis_certificates(certificates);
            }
            Target::Sentinel(Mutex::new(builder.build()?))
        }
    })
}

fn cluster(options: &RedisOptions, answer_timeout: Duration) -> Result<ClusterClient, RedisError> {
    let mut builder = ClusterClientBuilder::new(nodes(options))
        .connection_timeout(options.connect_timeout)
        .response_timeout(answer_timeout)
        // A call whose answer is lost must not be repeated in silence: it may have been done.
        .retries(0);
    if let Some(user) = &options.user {
        builder = builder.username(user);
    }
    if let Some(password) = &options.password {
        builder = builder.password(password);
    }
    #[cfg(feature = "redis-tls")]
    if let Some(tls) = &options.tls {
        builder = builder.certs(tls.certificates()?);
    }
    Ok(builder.build()?)
}

pub(super) fn client(options: &RedisOptions, host: &(String, u16)) -> Result<Client, RedisError> {
    // A proxy knows no CLIENT and no SELECT: neither is sent.
    let mut redis = RedisConnectionInfo::default()
        .set_db(i64::from(options.db))
        .set_protocol(ProtocolVersion::RESP2)
        .set_skip_set_lib_name();
    if let Some(user) = &options.user {
        redis = redis.set_username(user);
    }
    if let Some(password) = &options.password {
        redis = redis.set_password(password);
    }
    let info = address(options, host).into_connection_info()?.set_redis_settings(redis);
    #[cfg(feature = "redis-tls")]
    if let Some(tls) = &options.tls {
        return Ok(Client::build_with_tls(info, tls.certificates()?)?);
    }
    Ok(Client::open(info)?)
}

/// Whether a connection cannot be used any more, or leads to a server that is no longer the master.
fn is_broken(error: &DriverError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error() || error.code() == Some("READONLY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_keys() {
        let redis = Redis::open("redis://h?prefix=p").unwrap();
        assert_eq!(redis.key("lock", "a}{b:c%\n"), "p:lock:{a%7D%7Bb%3Ac%25%0A}");
        assert_eq!(redis.key("lock", "中文 x"), "p:lock:{中文 x}");
        assert_eq!(redis.key("lock", ""), "p:lock:{%}");
    }

    #[test]
    fn keys_of_several_slots_are_refused_on_a_cluster() {
        let cluster = Redis::open("redis+cluster://h").unwrap();
        assert!(cluster.check_slots(&["{a}1", "{a}2"]).is_ok());
        let error = cluster.check_slots(&["a1", "a2"]).unwrap_err().to_string();
        assert!(error.contains("\"a1\" and \"a2\"") && error.contains("hash tag"), "{error}");
        assert!(Redis::open("redis://h").unwrap().check_slots(&["a1", "a2"]).is_ok());
    }
}
