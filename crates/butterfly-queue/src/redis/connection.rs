//! The connection: one that all calls share, made again by itself, and what its errors mean.

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, Value,
};
use tokio::sync::Mutex;

use super::options::{Mode, RedisOptions};
use super::scripts::Script;
use crate::EngineError;

/// After an attempt to connect failed, calls fail at once for so long.
const REST: Duration = Duration::from_millis(100);
/// How often a call is repeated that the server said it did not do.
const TRIES: usize = 4;
/// The codes of a server that does not let us in, and the client's own word for it.
const REFUSALS: [&str; 4] = ["NOAUTH", "WRONGPASS", "NOPERM", "AuthenticationFailed"];

/// A connection to one server or to a cluster, or the way to make one.
#[derive(Debug)]
pub(super) struct Link {
    options: RedisOptions,
    target: Target,
    live: Mutex<Live>,
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
    /// Counts the connections, so that a call that failed closes the one it used and no later one.
    life: u64,
    failed: Option<(Instant, EngineError)>,
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

impl Link {
    /// A link that connects at its first call.
    pub(super) fn new(options: RedisOptions) -> Result<Self, EngineError> {
        let target = target(&options).map_err(|error| meaning(&error))?;
        Ok(Self { options, target, live: Mutex::default() })
    }

    /// Runs a script. The arguments are written by `fill`, which is called again where the server has lost the script.
    pub(super) async fn run(
        &self,
        script: &Script,
        key: &str,
        fill: impl Fn(&mut Cmd) + Send + Sync,
    ) -> Result<Value, EngineError> {
        let mut by_text = false;
        let mut tries = 0;
        loop {
            let mut command = redis::cmd(if by_text { "EVAL" } else { "EVALSHA" });
            command.arg(if by_text { script.text } else { &*script.sha }).arg(1).arg(key);
            fill(&mut command);
            tries += 1;
            match self.send(&command).await? {
                Ok(value) => return Ok(value),
                Err(error) if error.code() == Some("NOSCRIPT") && tries < TRIES => by_text = true,
                Err(error) if error.code() == Some("MOVED") && tries < TRIES => {}
                Err(error) => return Err(meaning(&error)),
            }
        }
    }

    /// Sends one command. The outer error says that there is no connection, the inner one is the server's.
    async fn send(&self, command: &Cmd) -> Result<Result<Value, RedisError>, EngineError> {
        let (mut connection, life) = self.connection().await?;
        let answer = match &mut connection {
            Connection::One(one) => command.query_async::<Value>(one).await,
            Connection::Cluster(cluster) => command.query_async::<Value>(cluster).await,
        };
        if let Err(error) = &answer
            && is_broken(error)
            && !matches!(connection, Connection::Cluster(_))
        {
            self.close(life).await;
        }
        Ok(answer)
    }

    /// Runs a command that is no script.
    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, EngineError> {
        self.send(command).await?.map_err(|error| meaning(&error))
    }

    async fn connection(&self) -> Result<(Connection, u64), EngineError> {
        let mut live = self.live.lock().await;
        if let Some(connection) = &live.connection {
            return Ok((connection.clone(), live.life));
        }
        if let Some((when, error)) = &live.failed
            && when.elapsed() < REST
        {
            return Err(error.clone());
        }
        let limit = self.options.connect_timeout * 2;
        let made = tokio::time::timeout(limit, self.connect()).await;
        let made = made.unwrap_or_else(|_| Err(EngineError::Unavailable("no connection in time".into())));
        match made.map_err(|error| self.placed(error)) {
            Ok(connection) => {
                live.connection = Some(connection.clone());
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

    /// The error of a Redis that is not reached, with where it was looked for.
    fn placed(&self, error: EngineError) -> EngineError {
        let EngineError::Unavailable(why) = error else { return error };
        let places: Vec<String> =
            self.options.hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        EngineError::Unavailable(format!("Redis at {}: {why}", places.join(", ")))
    }

    async fn connect(&self) -> Result<Connection, EngineError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.connect_timeout))
            .set_response_timeout(Some(self.options.answer_timeout));
        let made = match &self.target {
            Target::One(client) => {
                client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One)
            }
            Target::Sentinel(client) => {
                let mut client = client.lock().await;
                client.get_async_connection_with_config(&config).await.map(Connection::One)
            }
            Target::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
        };
        made.map_err(|error| meaning(&error))
    }

    async fn close(&self, life: u64) {
        let mut live = self.live.lock().await;
        if live.life == life {
            live.connection = None;
        }
    }

    /// A client for a connection of one's own, to subscribe on. Any node of a cluster hears what any other says.
    pub(super) async fn subscriber(&self, attempt: usize) -> Result<Client, EngineError> {
        match &self.target {
            Target::One(client) => Ok(client.clone()),
            Target::Sentinel(client) => {
                client.lock().await.async_get_client().await.map_err(|error| meaning(&error))
            }
            Target::Cluster(_) => {
                let host = &self.options.hosts[attempt % self.options.hosts.len()];
                client(&self.options, host).map_err(|error| meaning(&error))
            }
        }
    }
}

fn target(options: &RedisOptions) -> Result<Target, RedisError> {
    let nodes = options.hosts.iter().map(|(host, port)| ConnectionAddr::Tcp(host.clone(), *port));
    Ok(match &options.mode {
        Mode::Standalone | Mode::Proxy => Target::One(client(options, &options.hosts[0])?),
        Mode::Cluster => {
            let mut builder = ClusterClientBuilder::new(nodes)
                .connection_timeout(options.connect_timeout)
                .response_timeout(options.answer_timeout)
                // An exchange whose answer is lost must not be repeated in silence: what it claimed would be lost.
                .retries(0);
            if let Some(user) = &options.user {
                builder = builder.username(user);
            }
            if let Some(password) = &options.password {
                builder = builder.password(password);
            }
            Target::Cluster(builder.build()?)
        }
        Mode::Sentinel { master } => {
            let mut builder = SentinelClientBuilder::new(nodes, master, SentinelServerType::Master)?
                .set_client_to_redis_db(i64::from(options.db))
                .set_client_to_redis_protocol(ProtocolVersion::RESP2);
            if let Some(user) = &options.user {
                builder = builder.set_client_to_redis_username(user);
            }
            if let Some(password) = &options.password {
                builder = builder.set_client_to_redis_password(password);
            }
            Target::Sentinel(Mutex::new(builder.build()?))
        }
    })
}

fn client(options: &RedisOptions, (host, port): &(String, u16)) -> Result<Client, RedisError> {
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
    let info = ConnectionAddr::Tcp(host.clone(), *port).into_connection_info()?.set_redis_settings(redis);
    Client::open(info)
}

/// Whether a connection cannot be used any more, or leads to a server that is no longer the master.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error() || error.code() == Some("READONLY")
}

/// What an error of the client or the server means for the queue.
pub(super) fn meaning(error: &RedisError) -> EngineError {
    let text = error.to_string();
    let code = error.code().unwrap_or_default();
    // Redis 6 puts the error of a command in a script behind words of its own.
    let says = |word: &str| code == word || (text.contains("user_script") && text.contains(word));
    if says("OOM") || says("MISCONF") {
        return EngineError::NoRoom(text);
    }
    if says("WRONGTYPE") {
        return EngineError::Foreign(format!("a key of the queue holds something else: {text}"));
    }
    if says("FOREIGN") {
        return EngineError::Foreign(error.detail().unwrap_or(&text).to_owned());
    }
    // A cluster's client shows only the text of why none of its nodes took it in.
    let in_text = |word: &&str| text.contains("initial connections") && text.contains(word);
    let refused = REFUSALS.contains(&code)
        || matches!(error.kind(), redis::ErrorKind::AuthenticationFailed)
        || REFUSALS.iter().any(in_text);
    if refused {
        return EngineError::Misconfigured(format!("Redis does not let us in: {text}"));
    }
    if error.kind() == redis::ErrorKind::InvalidClientConfig {
        return EngineError::Misconfigured(text);
    }
    if text.contains("user_script:") && !text.contains("TRYAGAIN") {
        return EngineError::Foreign(format!(
            "a script of the queue cannot go on with what is stored: {text}"
        ));
    }
    EngineError::Unavailable(text)
}
