//! Every key there is: its type, default, limits and help, each said once, here.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use toml::Value;

use super::address::Address;
use super::app::AppTable;
use super::databases::{DatabaseTable, DatabaseUrl};
use super::network::Network;
use super::queue::{Instance, QueueEngine, TopicPattern};
use super::redis::{RedisTable, RedisUrl};
use super::setting::{Input, Setting, bound, plain};
use super::stat_adaptor::StatAdaptor;
use super::stores::{CacheStore, CookieName, SessionStore};
use super::types::{
    Durability, ErrorStyle, HeaderName, LogFilter, LogFormat, Role, Secret, SecureCookie, UrlPrefix,
};
use super::units::{ByteSize, Span};

/// One key, as `butterfly config` explains it.
#[derive(Debug)]
pub struct Key {
    /// Its full name, such as `http.listen`.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Whether its value is never to be shown.
    pub secret: bool,
    pub(super) accepts: fn() -> String,
    pub(super) set: fn(&mut Config, &Input) -> Result<(), String>,
    pub(super) get: fn(&Config) -> Value,
}

impl Key {
    /// The value it has when no layer sets it, as TOML.
    pub fn default(&self) -> String {
        super::report::inline(&(self.get)(&Config::default()))
    }

    /// The values it accepts.
    pub fn accepts(&self) -> String {
        (self.accepts)()
    }
}

fn accepted(forms: &str, limits: &[(&str, Value)]) -> String {
    let mut text = forms.to_owned();
    for (word, limit) in limits {
        text.push_str(&format!(", {word} {}", plain(limit)));
    }
    text
}

/// One row of [`KEYS`]; `$($at)+` is where in a [`Config`] the value lies.
macro_rules! key {
    ([$($at:tt)+] $name:expr, $type:ty, $help:expr $(, min $min:expr)? $(, max $max:expr)?) => {
        Key {
            name: $name,
            help: $help.trim_ascii(),
            secret: <$type as Setting>::SECRET,
            accepts: || accepted(
                <$type as Setting>::ACCEPTS,
                &[$(("at least", $min.to_value()),)? $(("at most", $max.to_value()),)?],
            ),
            set: |config, input| {
                let value = <$type as Setting>::read(input)?;
                $(bound(value >= $min, "at least", &$min)?;)?
                $(bound(value <= $max, "at most", &$max)?;)?
                config.$($at)+ = value;
                Ok(())
            },
            get: |config| config.$($at)+.to_value(),
        }
    };
}

/// Makes the structs, their defaults and [`KEYS`] out of one description.
macro_rules! settings {
    (
        $(#[doc = $root_doc:literal])+
        struct $root:ident {
            $($(#[doc = $help:literal])+ $field:ident: $type:ty = $default:expr;)+
        }
        $(
            $(#[doc = $section_doc:literal])+
            $section:ident: struct $name:ident {
                $(
                    $(#[doc = $key_help:literal])+
                    $key:ident: $key_type:ty = $key_default:expr $(, min $min:expr)? $(, max $max:expr)?;
                )+
            }
        )+
    ) => {
        $(#[doc = $root_doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $root {
            $($(#[doc = $help])+ pub $field: $type,)+
            $($(#[doc = $section_doc])+ pub $section: $name,)+
            /// Redis servers by name.
            pub redis: RedisTable,
            /// SQL databases by name.
            pub databases: DatabaseTable,
            /// The application's own keys: read them with [`Config::app`].
            pub app: AppTable,
        }

        impl Default for $root {
            fn default() -> Self {
                Self {
                    $($field: $default,)+
                    $($section: $name::default(),)+
                    redis: RedisTable::default(),
                    databases: DatabaseTable::default(),
                    app: AppTable::default(),
                }
            }
        }

        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug, PartialEq)]
            pub struct $name {
                $($(#[doc = $key_help])+ pub $key: $key_type,)+
            }

            impl Default for $name {
                fn default() -> Self {
                    Self { $($key: $key_default,)+ }
                }
            }
        )+

        /// Every key there is, those of `[redis]`, `[databases]` and `[app]` excepted: their names are the user's.
        pub static KEYS: &[Key] = &[
            $(key!([$field] stringify!($field), $type, concat!($($help),+)),)+
            $($(key!(
                [$section.$key]
                concat!(stringify!($section), ".", stringify!($key)),
                $key_type,
                concat!($($key_help),+)
                $(, min $min)? $(, max $max)?
            ),)+)+
        ];

        /// The tables that hold them.
        pub(super) const SECTIONS: &[&str] = &[$(stringify!($section),)+ RedisUrl::TABLE, DatabaseUrl::TABLE, "app"];
    };
}

settings! {
    /// What a service runs with. `Config::default()` is what holds when nothing is set.
    struct Config {
        /// The service's name, shown in the console and by its workers; the crate's name unless set.
        name: String = "butterfly".to_owned();
        /// The folder of embedded files, secrets, sockets and the pid file.
        data_dir: PathBuf = PathBuf::from("data");
        /// What this process does.
        roles: Vec<Role> = vec![Role::Http, Role::Worker, Role::Scheduler];
        /// The name of this process among those that share data_dir.
        instance: Instance = Instance::main();
    }

    /// The HTTP door.
    http: struct HttpConfig {
        /// Address to listen on; port 0 picks a free one and prints it.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8585));
        /// How failed requests are answered: with a stat under HTTP 200, or with HTTP statuses.
        errors: ErrorStyle = ErrorStyle::Butterfly;
        /// Adds a status and a message of your naming to each reply that has a stat.
        stat_adaptor: Option<StatAdaptor> = None;
        /// Connections open at once.
        max_connections: usize = 10_000, min 1usize;
        /// Largest request head: request line and headers.
        max_head: ByteSize = ByteSize::kib(32), min ByteSize::kib(8), max ByteSize::mib(16);
        /// Largest JSON or form body.
        max_body: ByteSize = ByteSize::mib(2);
        /// Largest upload.
        max_upload: ByteSize = ByteSize::mib(1024);
        /// Time for a request's head to arrive.
        head_timeout: Span = Span::secs(10), min Span::millis(1);
        /// Time a body may go without progress.
        body_timeout: Span = Span::secs(30), min Span::millis(1);
        /// Time for a handler to answer, unless it sets its own.
        request_timeout: Span = Span::secs(60), min Span::millis(1);
        /// Time a connection may lie idle between requests.
        idle_timeout: Span = Span::secs(75), min Span::millis(1);
        /// Time for open requests to finish when the service stops.
        drain_timeout: Span = Span::secs(10);
        /// Peers whose X-Real-IP, X-Username and X-Reqid headers are believed.
        trusted_proxies: Vec<Network> = Vec::new();
        /// The header in which a trusted proxy names the user.
        user_header: HeaderName = HeaderName::x_username();
        /// The folder of static files.
        static_dir: PathBuf = PathBuf::from("static");
        /// The path under which static files are served; empty serves none.
        static_prefix: UrlPrefix = UrlPrefix::of_static();
        /// Threads that serve requests; 0 means one for each core.
        threads: usize = 0, max 1024usize;
    }

    /// The logs.
    log: struct LogConfig {
        /// The folder of the log files.
        dir: PathBuf = PathBuf::from("logs");
        /// What is logged, in the syntax of RUST_LOG.
        level: LogFilter = LogFilter::info();
        /// How lines are written.
        format: LogFormat = LogFormat::Text;
        /// Size at which a log file is set aside and a new one begun.
        rotate_bytes: ByteSize = ByteSize::mib(100), min ByteSize::kib(4);
        /// Age at which a log file is set aside and a new one begun.
        rotate_age: Span = Span::secs(86_400), min Span::secs(60);
        /// How many files set aside are kept of each log.
        keep: usize = 7;
        /// Whether log lines go to standard error too.
        stderr: bool = false;
        /// Whether what is printed on a terminal has colours.
        color: bool = true;
    }

    /// The message queue.
    queue: struct QueueConfig {
        /// What the queue stands on: a file in data_dir, or the Redis of that name.
        engine: QueueEngine = QueueEngine::Embedded;
        /// The file of the embedded engine; queue.db in data_dir unless set.
        file: Option<PathBuf> = None;
        /// When the embedded engine takes a message for kept: on disk, or handed to the system.
        durability: Durability = Durability::Full;
        /// Messages that this process runs at once.
        concurrency: usize = 10, min 1usize, max 100_000usize;
        /// Topics that this process runs; of patterns that fit, the last decides.
        topics: Vec<TopicPattern> = vec![TopicPattern::every()];
        /// Time without a sign of life after which a worker's messages are given to others.
        lease: Span = Span::secs(15), min Span::millis(100);
        /// How often a failed run is tried again, unless the handler or the message says otherwise.
        retries: u32 = 0;
        /// Time for one run, unless the handler or the message says otherwise; 0 is without a limit.
        timeout: Span = Span::secs(180);
        /// Time that a finished message is kept; empty for ever, 0 not at all.
        result_ttl: Option<Span> = Some(Span::secs(365 * 86_400));
        /// Time that a failed message is kept; empty for ever.
        failure_ttl: Option<Span> = Some(Span::secs(365 * 86_400));
        /// Messages that may wait in a topic; more are refused.
        max_depth: u64 = 1_000_000, min 1u64;
        /// Largest arguments of a message, and largest reply that is kept.
        max_args: ByteSize = ByteSize::mib(1), min ByteSize::kib(1), max ByteSize::mib(512);
        /// Whether messages are taken for topics that no handler of this program has.
        allow_unknown: bool = false;
    }

    /// SQL databases, those of `[databases]`.
    sql: struct SqlConfig {
        /// Whether missing tables and columns of the program's entities are made at the start, as long as there are no migrations.
        create_tables: bool = true;
        /// Whether pending migrations are applied at the start; such as lose data are not.
        migrate: bool = false;
        /// The folder of the migrations; those of databases.NAME, other than default, are in a folder NAME in it.
        migrations: PathBuf = PathBuf::from("migrations");
        /// Time from which a statement is logged as slow.
        slow: Span = Span::millis(200);
    }

    /// The sessions of users.
    session: struct SessionConfig {
        /// Where they are kept: a file in data_dir, the memory of each process, a database or a Redis.
        store: SessionStore = SessionStore::unset();
        /// What signs cookies: the first signs, all verify. One is made and kept in data_dir unless set.
        secrets: Vec<Secret> = Vec::new();
        /// The name of the cookie.
        cookie: CookieName = CookieName::sid();
        /// When the cookie is for TLS alone; auto means when the proxy in front says that the call came by TLS.
        secure: SecureCookie = SecureCookie::Auto;
        /// A session that nobody uses for so long ends.
        idle: Span = Span::secs(7 * 86_400), min Span::secs(1);
        /// A session ends at this age, however much it is used.
        ttl: Span = Span::secs(30 * 86_400), min Span::secs(1);
        /// The most that a session may hold.
        max_bytes: ByteSize = ByteSize::kib(16), max ByteSize::mib(1);
        /// Sessions that a user may have; a login beyond ends the one that was used least recently.
        max_per_user: usize = 100, min 1usize, max 10_000usize;
        /// Sessions without a login that the store memory keeps; one beyond ends the one that was used least recently.
        max_anonymous: usize = 10_000, min 1usize, max 10_000_000usize;
    }

    /// The cache, which also keeps the answers of handlers with the option cache.
    cache: struct CacheConfig {
        /// Where values are kept: the memory of each process, a file in data_dir, or a Redis.
        store: CacheStore = CacheStore::Memory;
        /// The most that memory or the file holds; a Redis has a limit of its own.
        size: ByteSize = ByteSize::mib(64), min ByteSize::mib(1);
        /// Memory above a file or a Redis, which answers for up to a second without asking below; 0 is none.
        near: ByteSize = ByteSize::kib(0);
    }

    /// Looking at and operating a running service.
    ops: struct OpsConfig {
        /// The token that operators present.
        token: Option<Secret> = None;
        /// Whether the service can be looked at and operated over HTTP.
        enabled: bool = true;
    }
}

/// What a dotted name is.
pub(super) enum Found {
    Key(&'static Key),
    Section,
    /// An entry of `[redis]`.
    Redis,
    /// An entry of `[databases]`.
    Database,
    App,
    Nothing,
}

pub(super) fn find(path: &[String]) -> Found {
    match path {
        [name] if SECTIONS.contains(&name.as_str()) => Found::Section,
        [name, _, ..] if name == "app" => Found::App,
        [name, _] if name == RedisUrl::TABLE => Found::Redis,
        [name, _] if name == DatabaseUrl::TABLE => Found::Database,
        _ => KEYS.iter().find(|key| key.name.split('.').eq(path)).map_or(Found::Nothing, Found::Key),
    }
}
