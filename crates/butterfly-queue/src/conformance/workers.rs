//! The list of the workers.

use super::desk::{Trial, pass};
use super::failed::{Proof, same};
use crate::engine::WorkerInfo;
use crate::message::now_ms;

fn worker(name: &str) -> WorkerInfo {
    WorkerInfo {
        name: name.into(),
        nickname: "百川 \"demo\"".into(),
        hostname: "host".into(),
        pid: 4242,
        version: "0.1.0".into(),
        home_dir: "/srv/a b/线".into(),
        topics: vec!["/a".into(), "/b/{id}".into()],
        state: "busy".into(),
        birth: now_ms() - 5000,
        last_heartbeat: now_ms(),
        running: 3,
        finished: 1 << 40,
        failed: 5,
        lost: 6,
        working_us: 1 << 50,
    }
}

/// Every process sees who is here, with all that it said last, sorted by name; who goes is gone.
pub(super) async fn workers_come_and_go(trial: &Trial) -> Proof {
    const HOUR: u64 = 3_600_000;
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    same!(desk.engine.workers().await?, [], "workers of a new place");
    let (mut one, two) = (worker("host:8585:1"), worker("host:8585:2"));
    desk.engine.put_worker(&two, HOUR).await?;
    other.engine.put_worker(&one, HOUR).await?;
    same!(desk.engine.workers().await?, [one.clone(), two.clone()], "workers");
    one.state = "stopping".into();
    one.topics.clear();
    other.engine.put_worker(&one, HOUR).await?;
    same!(
        desk.engine.workers().await?,
        [one.clone(), two.clone()],
        "workers, when one has said something else"
    );
    other.engine.remove_worker(&two.name).await?;
    other.engine.remove_worker("nobody").await?;
    same!(desk.engine.workers().await?, [one], "workers, when one has gone");
    Ok(())
}

/// Who is not heard of any more is no longer listed; who is heard of again is.
pub(super) async fn workers_expire(trial: &Trial) -> Proof {
    const HOUR: u64 = 3_600_000;
    let desk = trial.desk().await?;
    let (gone, stays, late) = (worker("gone"), worker("stays"), worker("late"));
    desk.engine.put_worker(&gone, 50).await?;
    desk.engine.put_worker(&stays, 50).await?;
    desk.engine.put_worker(&stays, HOUR).await?;
    while desk.engine.workers().await?.contains(&gone) {
        pass(10).await;
    }
    same!(desk.engine.workers().await?, vec![stays.clone()], "workers, when one is not heard of");
    desk.engine.put_worker(&late, HOUR).await?;
    desk.engine.put_worker(&gone, HOUR).await?;
    same!(desk.engine.workers().await?, [gone, late, stays], "workers, when it is heard of again");
    Ok(())
}
