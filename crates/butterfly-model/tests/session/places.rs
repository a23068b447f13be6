//! Every store there is, each empty or with names that nobody else uses.

use butterfly_model::session::{Keys, MemorySessions, Options, SessionStore, Sessions, SqlSessions};
use tempfile::TempDir;

/// Sessions on a store, and the same opened anew, as another process would have them.
pub(crate) struct Place {
    pub(crate) kind: &'static str,
    pub(crate) here: Sessions,
    pub(crate) there: Sessions,
    /// The same store; of memory one of its own.
    pub(crate) store: Box<dyn SessionStore>,
    _folder: Option<TempDir>,
}

fn on(store: impl SessionStore, options: &Options) -> Sessions {
    Sessions::new(store, Keys::of(&["a secret of these tests"]).unwrap(), options.clone())
}

pub(crate) async fn all(options: Options) -> Vec<Place> {
    let memory = on(MemorySessions::new(), &options);
    let store = Box::new(MemorySessions::new());
    let memory = Place { kind: "memory", here: memory.clone(), there: memory, store, _folder: None };
    let all = vec![memory, file(&options)];
    #[cfg(feature = "live")]
    let all = {
        let mut all = all;
        for (kind, variable) in [("MariaDB", "SQL_TEST_MYSQL"), ("PostgreSQL", "SQL_TEST_POSTGRES")] {
            all.push(live::sql(kind, variable, &options).await);
        }
        for (kind, form) in
            [("Redis", ""), ("a cluster", "_CLUSTER"), ("Sentinel", "_SENTINEL"), ("a proxy", "_PROXY")]
        {
            all.push(live::redis(kind, form, &options));
        }
        all
    };
    all
}

fn file(options: &Options) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/sessions.db");
    let store = || SqlSessions::file(&path).unwrap();
    let open = || on(store(), options);
    Place { kind: "a file", here: open(), there: open(), store: Box::new(store()), _folder: Some(folder) }
}

#[cfg(feature = "live")]
mod live {
    use std::time::Duration;

    use butterfly_model::redis::Redis;
    use butterfly_model::session::{Options, RedisSessions, SqlSessions};
    use butterfly_model::sql::Databases;

    use super::{Place, on};

    fn variable(name: &str) -> String {
        std::env::var(name)
            .unwrap_or_else(|_| panic!("{name} is not set: bash .ci/redis bash .ci/sql COMMAND sets it"))
    }

    pub(super) async fn sql(kind: &'static str, name: &str, options: &Options) -> Place {
        let open = async || {
            let mut databases = Databases::new();
            databases.add("main", variable(name).parse().unwrap(), Duration::from_secs(9)).await.unwrap();
            SqlSessions::new(&databases, "main").unwrap()
        };
        let (here, there) = (on(open().await, options), on(open().await, options));
        Place { kind, here, there, store: Box::new(open().await), _folder: None }
    }

    pub(super) fn redis(kind: &'static str, form: &str, options: &Options) -> Place {
        let url = variable(&format!("QUEUE_TEST_REDIS{form}"));
        let sign = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{sign}prefix=t{}", butterfly_core::ReqId::new());
        let store = || RedisSessions::new(&Redis::open(&url).unwrap());
        let open = || on(store(), options);
        Place { kind, here: open(), there: open(), store: Box::new(store()), _folder: None }
    }
}
