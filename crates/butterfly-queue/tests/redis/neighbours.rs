//! Processes of one machine on one Redis: the death of one is known to the others at once.

use std::path::Path;
use std::time::Duration;

use butterfly_queue::engine::{Owner, Wake};
use butterfly_queue::redis::{RedisEngine, RedisOptions};
use butterfly_queue::{Engine, Topic};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Desk;
use super::faults::hear;
use super::server::{PATIENCE, Server};

/// A worker whose engine is in this folder.
fn desk(server: &Server, folder: &Path, instance: &str) -> Desk {
    let options: RedisOptions = server.url().parse().unwrap();
    Desk {
        engine: RedisEngine::new(options, Some(folder)).unwrap(),
        topic: Topic::new("/a").unwrap(),
        owner: Owner { instance: instance.into(), epoch: 1, worker: format!("host:1:{instance}").into() },
    }
}

/// What a process tells in the moment of its death may be lost: then another one dies.
const ROUND: Duration = Duration::from_secs(3);

/// The next death that is told of; `None` after a while.
async fn death(ear: &mut mpsc::UnboundedReceiver<Wake>) -> Option<Owner> {
    let hearing = async {
        loop {
            if let Wake::Dead(owner) = ear.recv().await.expect("the engine listens") {
                return owner;
            }
        }
    };
    timeout(ROUND, hearing).await.ok()
}

#[tokio::test]
async fn who_holds_leases_is_known_to_be_dead_at_once() {
    let (server, folder) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let one = desk(&server, folder.path(), "one");
    let mut ear = one.engine.listen("me".into()).unwrap();
    let dying = async {
        for round in 0.. {
            let other = desk(&server, folder.path(), &format!("other-{round}"));
            other.send(2).await.unwrap();
            assert_eq!(other.claim(2).await.unwrap().len(), 2);
            drop(other);
            if let Some(dead) = death(&mut ear).await {
                return dead;
            }
        }
        unreachable!()
    };
    let dead = timeout(PATIENCE, dying).await.expect("a death is told of");
    let leases = one.engine.leases(&one.topic).await.unwrap();
    let lease = leases.iter().find(|lease| lease.owner == dead).expect("its lease is as it said");
    let reaped = one.engine.reap(&one.topic, &dead, lease.beat).await.unwrap();
    assert_eq!(reaped.returned, 2);
}

#[tokio::test]
async fn who_died_while_the_server_was_away_is_told_of_when_it_is_back() {
    let (mut server, folder) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let one = desk(&server, folder.path(), "one");
    let mut ear = one.engine.listen("me".into()).unwrap();
    let dying = async {
        for round in 0.. {
            hear(&mut ear, Wake::All).await;
            let other = desk(&server, folder.path(), &format!("other-{round}"));
            other.claim(1).await.unwrap();
            server.kill();
            drop(other);
            if let Some(dead) = death(&mut ear).await {
                return dead;
            }
            server.run();
        }
        unreachable!()
    };
    let dead = timeout(PATIENCE, dying).await.expect("a death is told of");
    assert_eq!(death(&mut ear).await.as_ref(), Some(&dead), "told once more, for what it had sent");
    server.run();
    hear(&mut ear, Wake::All).await;
    hear(&mut ear, Wake::Dead(dead)).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_no_reason_not_to_start() {
    let (server, folder) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let desk = desk(&server, &file, "one");
    desk.send(1).await.unwrap();
    assert_eq!(desk.claim(1).await.unwrap().len(), 1);
}
