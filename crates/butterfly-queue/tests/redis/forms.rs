//! Cluster, Sentinel and a proxy.

use std::collections::HashSet;

use butterfly_queue::engine::{Settled, Wake};
use butterfly_queue::{Engine, EngineError};
use tokio::time::timeout;

use super::Desk;
use super::server::{PATIENCE, ask};

fn url(form: &str) -> String {
    let name = format!("QUEUE_TEST_REDIS{form}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: bash .ci/redis COMMAND sets it"))
}

/// An address with a prefix that nobody else uses.
fn alone(url: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}prefix=t{}", butterfly_core::ReqId::new())
}

async fn run(desk: &Desk, count: u32) {
    desk.send(count as usize).await.unwrap();
    let mut done = 0;
    while done < count {
        let claimed = desk.claim(100).await.unwrap();
        assert!(!claimed.is_empty(), "{done} of {count}");
        done += claimed.len() as u32;
        assert!(desk.finish(&claimed).await.unwrap().iter().all(|settled| *settled == Settled::Done));
    }
    assert_eq!(desk.counts().await, [0, 0, 0, u64::from(count), 0]);
}

#[tokio::test]
async fn topics_of_a_cluster_lie_on_all_nodes_and_wake_over_them() {
    let url = url("_CLUSTER");
    let url = alone(&url);
    for number in 0..12 {
        let desk = Desk::new(&url, &format!("/topic/{number}")).await;
        let mut ear = desk.engine.listen("me".into()).unwrap();
        assert_eq!(timeout(PATIENCE, ear.recv()).await.unwrap(), Some(Wake::All));
        assert!(desk.claim(1).await.unwrap().is_empty());
        run(&desk, 300).await;
        assert_eq!(timeout(PATIENCE, ear.recv()).await.unwrap(), Some(Wake::Topic(desk.topic.path.clone())));
    }
    let desk = Desk::new(&url, "/topic/0").await;
    assert_eq!(desk.engine.topics().await.unwrap().len(), 12);
}

#[tokio::test]
async fn behind_a_proxy_a_timer_stands_in_for_waking() {
    let url = url("_PROXY");
    let desk = Desk::new(&alone(&url), "/topic").await;
    run(&desk, 1000).await;
    let mut ear = desk.engine.listen("me".into()).unwrap();
    for _ in 0..3 {
        assert_eq!(timeout(PATIENCE, ear.recv()).await.unwrap(), Some(Wake::All));
    }
}

/// Which port is the master's, as the sentinel says.
async fn master(sentinel: &str) -> String {
    let address: Vec<String> = ask(sentinel, "SENTINEL get-master-addr-by-name main").await;
    address[1].clone()
}

#[tokio::test]
async fn after_a_failover_the_new_master_is_found() {
    let url = url("_SENTINEL");
    let sentinel = url.replace("redis+sentinel", "redis").replace("/main", "");
    let desk = Desk::new(&alone(&url), "/topic").await;
    let ids = desk.send(50).await.unwrap();
    let old = master(&sentinel).await;
    // What the replica has not yet got would be lost: a failover in Redis keeps no more than that.
    let copies: u64 = ask(&format!("redis://127.0.0.1:{old}"), "WAIT 1 10000").await;
    assert_eq!(copies, 1);
    let (): () = ask(&sentinel, "SENTINEL failover main").await;
    let found = async {
        while master(&sentinel).await == old {
            tokio::task::yield_now().await;
        }
        loop {
            match desk.send(1).await {
                Ok(more) => return more,
                Err(EngineError::Unavailable(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    let more = timeout(PATIENCE, found).await.expect("the new master is found");
    let mut given = HashSet::new();
    let all = async {
        while given.len() < 51 {
            match desk.claim(100).await {
                Ok(claimed) => given.extend(claimed.into_iter().map(|message| message.id)),
                Err(EngineError::Unavailable(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    timeout(PATIENCE, all).await.expect("all are given");
    assert!(ids.iter().chain(&more).all(|id| given.contains(id)));
}
