//! The torture in its short form: a few thousand messages against each kind of fault.
//!
//! The embedded queue needs nothing but this program; what needs `redis-server`, libfaketime (Debian: `faketime`) or a
//! mount namespace is behind the feature `live`: `cargo test -p torture --features live`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::process::Command;

/// Runs the torture until its books add up, and gives what it printed.
fn torture(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let done = Command::new(env!("CARGO_BIN_EXE_torture")).args(&words).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success() && said.contains("the books add up"),
        "torture {words:?}\n{said}\n{errors}"
    );
    println!("{said}");
    said
}

/// A count of the table.
fn count(said: &str, name: &str) -> u64 {
    let line = said.lines().find_map(|line| line.trim_start().strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no count of {name} in\n{said}"))
}

#[test]
fn embedded_with_processes_killed() {
    let said = torture("--messages 3000 --kills 12 --lease 1500 --seed 1");
    assert!(count(&said, "messages accepted") == 3000 && count(&said, "processes killed") > 0);
}

/// Rows and messages are committed together; the long form has a thousand kills: `torture outbox`.
#[test]
fn commits_with_processes_killed() {
    let said = torture("outbox --kills 30 --seed 1");
    assert!(count(&said, "rows committed") > 30 && count(&said, "kills that left messages to relay") > 0);
}

#[test]
fn what_cannot_be_done_is_told() {
    let done = Command::new(env!("CARGO_BIN_EXE_torture")).args(["--cuts", "1"]).output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && errors.contains("need --engine redis"), "{errors}");
}

#[cfg(feature = "live")]
mod live {
    use super::{count, torture};

    #[test]
    fn redis_with_processes_and_the_server_killed() {
        let said =
            torture("--engine redis --messages 3000 --kills 10 --server-kills 3 --lease 1500 --seed 1");
        assert!(count(&said, "server killed") == 3 && count(&said, "processes killed") > 0);
    }

    /// `bash .ci/sql COMMAND` starts MariaDB and PostgreSQL.
    #[test]
    fn commits_on_servers_with_processes_killed() {
        for variable in ["SQL_TEST_MYSQL", "SQL_TEST_POSTGRES"] {
            let database = std::env::var(variable)
                .unwrap_or_else(|_| panic!("{variable} is not set: bash .ci/sql COMMAND"));
            let said = torture(&format!("outbox --engine redis --database {database} --kills 30 --seed 2"));
            assert!(count(&said, "rows committed") > 30, "{said}");
            assert!(count(&said, "kept while Redis was out of reach") > 0, "{said}");
        }
    }

    #[test]
    fn redis_with_connections_cut() {
        let said =
            torture("--engine redis --messages 3000 --kills 2 --cuts 1 --hold 30000 --lease 1500 --seed 2");
        assert_eq!(count(&said, "connections cut"), 1);
        assert!(said.contains("out of reach"), "senders are told: {said}");
    }

    #[test]
    fn embedded_with_its_disk_full() {
        let said = torture("--messages 40000 --kills 2 --fulls 2 --hold 2000 --lease 1500 --seed 3");
        assert_eq!(count(&said, "no room left"), 2);
        assert!(said.contains("has no room left"), "senders are told: {said}");
    }

    #[test]
    fn redis_with_its_memory_full() {
        let said =
            torture("--engine redis --messages 40000 --kills 2 --fulls 2 --hold 2000 --lease 1500 --seed 4");
        assert_eq!(count(&said, "no room left"), 2);
        assert!(said.contains("has no room left"), "senders are told: {said}");
    }

    /// One that always writes ends by itself where it cannot keep its promise, and is started again when there is room;
    /// one that writes every second refuses.
    #[test]
    fn redis_with_its_disk_full() {
        for (appendfsync, told) in [("always", "out of reach"), ("everysec", "has no room left")] {
            let said = torture(&format!(
                "--engine redis --appendfsync {appendfsync} --messages 40000 --kills 2 --full-disks 2 --hold 3000 \
                 --lease 1500 --seed 6"
            ));
            assert_eq!(count(&said, "disk of Redis full"), 2, "{appendfsync}");
            assert!(said.contains(told), "senders are told: {said}");
        }
    }

    /// No process dies, so that nothing runs twice; and nothing waits for a clock.
    #[test]
    fn both_with_a_clock_that_jumps() {
        for engine in ["embedded", "redis"] {
            let said = torture(&format!(
                "--engine {engine} --messages 30000 --kills 0 --jumps 4 --hold 1500 --lease 1500 --seed 5"
            ));
            assert_eq!((count(&said, "clock jumped"), count(&said, "extra runs")), (4, 0), "{said}");
            assert!(count(&said, "longest time without a run") < 3000, "{said}");
        }
    }
}
