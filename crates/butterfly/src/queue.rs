//! The queue of a program: the engine that is configured, and what the configuration says of messages.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use butterfly_core::Registry;
use butterfly_queue::{Engine, EngineError, Patterns, Queue, Settings};

use crate::config::{Config, QueueEngine, Role, TopicPattern};

/// Opens the engine that `queue.engine` names.
///
/// # Errors
///
/// Why it cannot be used, and what to do.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Engine>, EngineError> {
    let engine = make(config, None)?;
    engine.check().await?;
    Ok(engine)
}

/// The engine of a process that serves, which may be out of reach.
///
/// # Errors
///
/// Why it can never be used.
pub(crate) fn of_service(config: &Config) -> Result<Arc<dyn Engine>, EngineError> {
    make(config, Some(config.data_dir.join("queue-peers")))
}

/// The engine that `queue.engine` names. On Redis, processes find their neighbours in this folder; the embedded one has
/// its own.
///
/// # Errors
///
/// Why it can never be used.
fn make(config: &Config, neighbours: Option<PathBuf>) -> Result<Arc<dyn Engine>, EngineError> {
    match &config.queue.engine {
        QueueEngine::Embedded => embedded(config),
        QueueEngine::Redis(name) => redis(config, name, neighbours),
    }
}

/// Where messages are kept, and whether this process runs them.
pub(crate) fn shown(config: &Config) -> String {
    let place = match &config.queue.engine {
        QueueEngine::Embedded => config.queue_file().display().to_string(),
        QueueEngine::Redis(name) => format!("redis.{name}"),
    };
    if config.roles.contains(&Role::Worker) {
        format!("{place}, {} messages at once", config.queue.concurrency)
    } else {
        format!("{place}, run by other processes")
    }
}

fn embedded(config: &Config) -> Result<Arc<dyn Engine>, EngineError> {
    use butterfly_queue::embedded::{Durability, EmbeddedEngine, Options};
    let file = config.queue_file();
    let durability = match config.queue.durability {
        crate::config::Durability::Normal => Durability::Normal,
        crate::config::Durability::Full => Durability::Full,
    };
    let engine = EmbeddedEngine::open(&file, Options { durability, ..Options::default() })?;
    Ok(Arc::new(engine))
}

#[cfg(feature = "redis")]
fn redis(config: &Config, name: &str, neighbours: Option<PathBuf>) -> Result<Arc<dyn Engine>, EngineError> {
    use butterfly_queue::redis::{RedisEngine, RedisOptions};
    let url = config.redis.get(name).ok_or_else(|| {
        EngineError::Misconfigured(format!("queue.engine names redis.{name}, which is not set"))
    })?;
    let options: RedisOptions =
        url.expose().parse().map_err(|why| EngineError::Misconfigured(format!("redis.{name}: {why}")))?;
    Ok(Arc::new(RedisEngine::new(options, neighbours.as_deref())?))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &Config, name: &str, _: Option<PathBuf>) -> Result<Arc<dyn Engine>, EngineError> {
    Err(EngineError::Misconfigured(format!(
        "queue.engine names redis.{name}, and this program was built without the feature redis of butterfly"
    )))
}

/// The queue of this process on an engine; `who` tells it from others that share its data folder.
pub(crate) fn on(
    engine: Arc<dyn Engine>,
    registry: &Registry,
    config: &Config,
    version: &str,
    who: &str,
) -> Queue {
    let queue = &config.queue;
    let patterns = queue.topics.iter().map(TopicPattern::as_str);
    let settings = Settings {
        instance: instance(&config.data_dir, who).into(),
        nickname: config.name.clone(),
        version: version.to_owned(),
        port: config.http.listen.port(),
        concurrency: queue.concurrency,
        topics: Patterns::new(patterns),
        lease: queue.lease.as_duration(),
        retries: queue.retries,
        timeout: queue.timeout.as_duration(),
        result_ttl: queue.result_ttl.map(crate::config::Span::as_duration),
        failure_ttl: queue.failure_ttl.map(crate::config::Span::as_duration),
        max_depth: queue.max_depth,
        max_args: queue.max_args.as_usize(),
        allow_unknown: queue.allow_unknown,
    };
    Queue::new(engine, registry, settings)
}

/// The place of a process among all that share an engine: the same after a restart, and no two that live have the same,
/// for a data folder has one live process of a name.
fn instance(data_dir: &Path, who: &str) -> String {
    let folder = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = format!("{machine}\n{host}\n{}", folder.display());
    let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{who}-{hash:016x}")
}
