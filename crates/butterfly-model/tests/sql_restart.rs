//! Servers that are killed and started again under load: `bash .ci/sql cargo test -p butterfly-model --features live --test
//! sql_restart`. Apart from the other tests, which would be disturbed.

#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[path = "sql/cases.rs"]
#[allow(dead_code, reason = "its cases run elsewhere")]
mod cases;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use butterfly_model::sql::prelude::*;
use butterfly_model::sql::{Databases, Failure};

use cases::{account, open_account, with_tables};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: bash .ci/sql COMMAND sets it"))
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    restarted_under_load("SQL_TEST_MYSQL").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    restarted_under_load("SQL_TEST_POSTGRES").await;
}

/// The server is killed and started again under load: calls fail clearly, then all is well by itself.
async fn restarted_under_load(variable_name: &str) {
    let all = with_tables(&variable(variable_name)).await;
    let owner = format!("load-{}", std::process::id());
    let id = open_account(all.get("default").unwrap(), &owner, 0).await.id;
    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        callers.spawn(load(all.clone(), id, stop.clone(), counts.clone()));
    }
    counts.more_than(200).await;
    let restart = variable(&format!("{variable_name}_RESTART"));
    let done = tokio::task::spawn_blocking(move || Command::new("bash").arg(restart).status().unwrap());
    assert!(done.await.unwrap().success());
    let before = counts.done.load(Ordering::Relaxed);
    counts.more_than(before + 200).await;
    stop.store(true, Ordering::Relaxed);
    for failed in callers.join_all().await {
        assert!(failed.is_empty(), "failures that are not the server's absence: {failed:?}");
    }
    assert!(counts.failed.load(Ordering::Relaxed) > 0, "nobody saw that the server was away");
    // What was answered is there; what was not answered may be.
    let account = account::Entity::find_by_id(id).one(all.get("default").unwrap()).await.unwrap().unwrap();
    let (done, failed) = (counts.done.load(Ordering::Relaxed), counts.failed.load(Ordering::Relaxed));
    let cents = account.cents as u64;
    assert!((done..=done + failed).contains(&cents), "{cents} of {done} done and {failed} failed");
    account::Entity::delete_by_id(id).exec(all.get("default").unwrap()).await.unwrap();
}

#[derive(Default)]
struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    async fn more_than(&self, count: u64) {
        let since = Instant::now();
        while self.done.load(Ordering::Relaxed) <= count {
            assert!(since.elapsed() < Duration::from_secs(120), "the load does not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Adds one cent after the other; gives the failures that are of another kind than a server that is away.
async fn load(all: Databases, id: i64, stop: Arc<AtomicBool>, counts: Arc<Counts>) -> Vec<String> {
    let mut strange = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let more = account::Entity::update_many()
            .col_expr(account::Column::Cents, Expr::col(account::Column::Cents).add(1))
            .filter(account::Column::Id.eq(id))
            .exec(all.get("default").unwrap())
            .await;
        match more {
            Ok(_) => counts.done.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                if Failure::of(&error) != Failure::Unreachable {
                    strange.push(error.to_string());
                }
                counts.failed.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
    strange
}
