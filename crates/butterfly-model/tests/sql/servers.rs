//! MariaDB and PostgreSQL: `bash .ci/sql cargo test -p butterfly-model --features live --test sql`.

use butterfly_model::sql::Failure;
use butterfly_model::sql::prelude::*;

use crate::cases::databases;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: bash .ci/sql COMMAND sets it"))
}

/// A database of the test's own.
struct Place {
    url: String,
}

async fn place(variable_name: &str, name: &str) -> Place {
    let url = variable(variable_name);
    let server = url.rsplit_once('/').unwrap().0;
    let all = databases(&url).await;
    let db = all.get("default").unwrap();
    db.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
    db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    Place { url: format!("{server}/{name}") }
}

mod mariadb {
    async fn place(name: &str) -> super::Place {
        super::place("SQL_TEST_MYSQL", name).await
    }

    cases!(place);

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_wrong_is_refused() {
        super::refused("SQL_TEST_MYSQL").await;
    }
}

mod postgres {
    async fn place(name: &str) -> super::Place {
        super::place("SQL_TEST_POSTGRES", name).await
    }

    cases!(place);

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_wrong_is_refused() {
        super::refused("SQL_TEST_POSTGRES").await;
    }
}

/// A database that is not there is told apart from a server that is not.
async fn refused(variable_name: &str) {
    let url = variable(variable_name);
    let server = url.rsplit_once('/').unwrap().0;
    let ping = async |url: &str| {
        let all = databases(url).await;
        all.get("default").unwrap().ping().await.unwrap_err()
    };
    let error = ping(&format!("{server}/no_such_database")).await;
    assert_eq!(Failure::of(&error), Failure::Refused, "{error}");
    let scheme = server.split_once("://").unwrap().0;
    let error = ping(&format!("{scheme}://root@127.0.0.1:1/test?timeout=1")).await;
    assert_eq!(Failure::of(&error), Failure::Unreachable, "{error}");
}
