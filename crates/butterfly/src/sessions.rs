//! The sessions of a program, where `session.store` says.

use std::io;

use butterfly_core::App;
use butterfly_model::session::{Keys, MemorySessions, Options, Secure, SessionStore, Sessions};

use crate::config::{Config, SecureCookie, SessionConfig, SessionStore as Place};

/// The file in the data folder that holds the keys of cookies, where none are configured.
const KEYS: &str = "session.key";
/// The file in the data folder that holds sessions.
#[cfg(feature = "sql")]
const FILE: &str = "sessions.db";

/// Gives the app its sessions, unless the program gave it some. Nothing is opened before a call asks for its session.
///
/// # Errors
///
/// Why the store can never be used.
pub(crate) fn install(app: &mut App, config: &Config) -> io::Result<()> {
    if app.state.get::<Sessions>().is_some() {
        return Ok(());
    }
    let sessions = match &config.session.store {
        Place::Memory => on(MemorySessions::new().max_anonymous(config.session.max_anonymous), config)?,
        Place::Disk => disk(config)?,
        Place::Database(name) => database(app, config, name)?,
        Place::Redis(name) => redis(config, name)?,
    };
    app.state.insert(sessions);
    Ok(())
}

fn on(store: impl SessionStore, config: &Config) -> io::Result<Sessions> {
    let session = &config.session;
    if session.secrets.is_empty() {
        return Ok(Sessions::with_key_file(store, config.data_dir.join(KEYS), options(session)));
    }
    let secrets: Vec<&str> = session.secrets.iter().map(crate::config::Secret::expose).collect();
    Ok(Sessions::new(store, Keys::of(&secrets)?, options(session)))
}

fn options(session: &SessionConfig) -> Options {
    Options {
        cookie: session.cookie.as_str().to_owned(),
        secure: match session.secure {
            SecureCookie::Auto => Secure::Auto,
            SecureCookie::Always => Secure::Always,
            SecureCookie::Never => Secure::Never,
        },
        idle: session.idle.as_duration(),
        ttl: session.ttl.as_duration(),
        max_bytes: session.max_bytes.as_usize(),
        max_per_user: session.max_per_user,
    }
}

#[cfg(feature = "sql")]
fn disk(config: &Config) -> io::Result<Sessions> {
    use butterfly_model::session::SqlSessions;
    let store = SqlSessions::file(&config.data_dir.join(FILE)).map_err(|error| wrong(&error.chain()))?;
    on(store, config)
}

#[cfg(not(feature = "sql"))]
fn disk(_: &Config) -> io::Result<Sessions> {
    Err(wrong(&without("it is disk", "sql")))
}

#[cfg(feature = "sql")]
fn database(app: &App, config: &Config, name: &str) -> io::Result<Sessions> {
    use butterfly_model::session::SqlSessions;
    use butterfly_model::sql::Databases;
    let databases = app.state.get::<Databases>().ok_or_else(|| wrong("this program has no databases"))?;
    on(SqlSessions::new(databases, name).map_err(|error| wrong(&error.chain()))?, config)
}

#[cfg(not(feature = "sql"))]
fn database(_: &App, _: &Config, name: &str) -> io::Result<Sessions> {
    Err(wrong(&without(&format!("it names databases.{name}"), "sql")))
}

#[cfg(feature = "redis")]
fn redis(config: &Config, name: &str) -> io::Result<Sessions> {
    use butterfly_model::session::RedisSessions;
    let redis = crate::redis::open(config, name).map_err(|why| wrong(&why))?;
    on(RedisSessions::new(&redis), config)
}

#[cfg(not(feature = "redis"))]
fn redis(_: &Config, name: &str) -> io::Result<Sessions> {
    Err(wrong(&without(&format!("it names redis.{name}"), "redis")))
}

#[cfg(not(all(feature = "redis", feature = "sql")))]
fn without(what: &str, feature: &str) -> String {
    format!(
        "{what}, and this program was built without the feature {feature} of butterfly: build it with that, or set \
         session.store = \"memory\""
    )
}

fn wrong(why: &str) -> io::Error {
    io::Error::other(format!("session.store: {why}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use crate::config::Loader;

    fn installed(flags: &[(&str, &str)]) -> io::Result<App> {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let config = Loader::new("shop").flags(flags).load().unwrap().config;
        let mut app = App::default();
        install(&mut app, &config).map(|()| app)
    }

    #[test]
    fn each_place_is_what_the_configuration_says() {
        let shown = |flags: &[(&str, &str)]| {
            format!("{:?}", installed(flags).unwrap().state.get::<Sessions>().unwrap())
        };
        assert!(shown(&[("session.store", "memory"), ("session.cookie", "me")]).contains("cookie: \"me\""));
        let redis = [("redis.a", "redis://127.0.0.1:1"), ("session.store", "redis.a")];
        let disk = [("session.store", "disk"), ("data_dir", "/nowhere/at all")];
        if cfg!(feature = "redis") {
            assert!(shown(&redis).contains("RedisSessions"), "{}", shown(&redis));
        }
        if cfg!(feature = "sql") {
            assert!(shown(&disk).contains("/nowhere/at all/sessions.db"));
            assert_eq!(shown(&disk), shown(&disk[1..]), "it is where they are unless told otherwise");
        } else {
            assert!(shown(&[]).contains("MemorySessions"));
        }
        let why = installed(&[("session.store", "databases.default")]).unwrap_err().to_string();
        assert!(why.starts_with("session.store: "), "{why}");
    }

    #[test]
    fn a_place_that_was_not_built_in_is_refused_by_key_and_feature() {
        let disk = ("sql", vec![("session.store", "disk")]);
        let redis = ("redis", vec![("session.store", "redis.a"), ("redis.a", "redis://127.0.0.1:1")]);
        for (feature, flags) in [disk, redis] {
            if (feature == "sql" && cfg!(feature = "sql")) || (feature == "redis" && cfg!(feature = "redis"))
            {
                continue;
            }
            let why = installed(&flags).unwrap_err().to_string();
            assert!(
                why.starts_with("session.store: ") && why.contains(&format!("the feature {feature}")),
                "{why}"
            );
        }
    }

    #[test]
    fn the_programs_own_sessions_stay() {
        let own = Options { cookie: "own".into(), ..Options::default() };
        let mut app = App::default();
        app.state.insert(Sessions::new(MemorySessions::new(), Keys::of(&["a secret of mine"]).unwrap(), own));
        install(&mut app, &Config::default()).unwrap();
        assert!(format!("{:?}", app.state.get::<Sessions>().unwrap()).contains("cookie: \"own\""));
    }
}
