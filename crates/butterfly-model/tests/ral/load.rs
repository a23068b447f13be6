//! Many calls: how they are spread, and what happens when there is no room.

use std::collections::HashMap;
use std::time::Duration;

use butterfly_model::ral::{RalErrorKind, Spread, Value};

use crate::host::{Host, service, until};

#[tokio::test]
async fn calls_take_turns_and_keys_stay() {
    let hosts = [Host::echo().await, Host::echo().await, Host::echo().await];
    let users = service(&hosts).build().unwrap();
    for _ in 0..30 {
        users.request().send::<String>("x").await.unwrap();
    }
    assert_eq!(hosts.each_ref().map(Host::requests), [10; 3]);
    let mut homes = HashMap::new();
    for round in 0..3 {
        for key in 0..20 {
            let before = hosts.each_ref().map(Host::requests);
            users.request().key(format!("user:{key}")).send::<String>("x").await.unwrap();
            let home = (0..3).find(|host| hosts[*host].requests() > before[*host]).unwrap();
            assert_eq!(*homes.entry(key).or_insert(home), home, "round {round}");
        }
    }
    assert!((0..3).all(|host| homes.values().any(|home| *home == host)), "{homes:?}");
}

#[tokio::test]
async fn the_least_loaded_is_asked() {
    let (silent, good) = (Host::silent().await, Host::echo().await);
    let users = service([&silent, &good]).spread(Spread::LeastLoaded).read_timeout(Duration::from_secs(60));
    let users = users.build().unwrap();
    let stuck = tokio::spawn({
        let users = users.clone();
        async move { users.request().send::<Value>("x").await }
    });
    until(|| silent.requests() == 1).await;
    for _ in 0..10 {
        users.request().send::<String>("x").await.unwrap();
    }
    assert_eq!((silent.requests(), good.requests()), (1, 10));
    stuck.abort();
}

#[tokio::test]
async fn no_room_is_an_error_that_says_so() {
    let host = Host::silent().await;
    let users = service([&host]).max_connections(1).read_timeout(Duration::from_secs(60));
    let users = users.pool_timeout(Duration::from_millis(20)).retries(0).breaker(1, Duration::from_secs(9));
    let users = users.build().unwrap();
    let stuck = tokio::spawn({
        let users = users.clone();
        async move { users.request().send::<Value>("x").await }
    });
    until(|| host.requests() == 1).await;
    let error = users.request().send::<Value>("x").await.unwrap_err();
    assert_eq!((error.kind(), error.possibly_processed()), (RalErrorKind::Busy, false));
    assert!(error.to_string().contains("all 1 connections are in use (max_connections)"), "{error}");
    assert!(!users.state()[0].resting, "it does its work");
    stuck.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_shares_the_connections_and_each_gets_its_own_answer() {
    let hosts = [Host::echo().await, Host::echo().await];
    let users = service(&hosts).max_connections(4).pool_timeout(Duration::from_secs(20));
    let users = users.read_timeout(Duration::from_secs(20)).build().unwrap();
    let calls: Vec<_> = (0..2000u32)
        .map(|id| {
            let users = users.clone();
            tokio::spawn(async move { (id, users.request().send::<u32>(&id).await) })
        })
        .collect();
    for call in calls {
        let (id, answer) = call.await.unwrap();
        assert_eq!(answer.unwrap(), id);
    }
    for (host, state) in hosts.iter().zip(users.state()) {
        assert!(host.connections() <= 4, "{}", host.connections());
        assert_eq!((host.requests(), state.in_flight), (1000, 0));
    }
}
