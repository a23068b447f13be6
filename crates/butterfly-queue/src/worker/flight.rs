//! Calls of the engine that are under way.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Engine, EngineError, Exchange, Held, Lease, Owner, Reaped, Renewed, Want, WorkerInfo};
use crate::message::{Outcome, Seq};
use crate::topic::Topic;

/// What came back.
#[derive(Debug)]
pub(super) enum Landed {
    Exchanged(usize, Ask, Result<Exchange, EngineError>),
    /// By topic and the epoch it was asked for.
    Reconciled(usize, u64, Result<u64, EngineError>),
    Renewed(Vec<(usize, u64)>, Result<Vec<Renewed>, EngineError>),
    Watched(Vec<(usize, Vec<Lease>)>),
    /// Leases of an owner that is known to be dead.
    Dead(Vec<(usize, Lease)>),
    Reaped(usize, Owner, Result<Reaped, EngineError>),
    /// Housekeeping of which nobody needs to know more.
    Kept(Result<(), EngineError>),
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) owner: Arc<Owner>,
    pub(super) topic: Topic,
    pub(super) done: Arc<Vec<Outcome>>,
    pub(super) want: u32,
    pub(super) last_chance: bool,
    /// How often the topic had been woken when it began.
    pub(super) woken: u64,
}

pub(super) async fn exchange(engine: Arc<dyn Engine>, lane: usize, ask: Ask) -> Landed {
    let want = Want { count: ask.want, last_chance: ask.last_chance };
    let result = engine.exchange(&ask.owner, &ask.topic, ask.done.clone(), want).await;
    Landed::Exchanged(lane, ask, result)
}

pub(super) async fn reconcile(
    engine: Arc<dyn Engine>,
    lane: usize,
    owner: Arc<Owner>,
    topic: Topic,
    known: Vec<Seq>,
) -> Landed {
    Landed::Reconciled(lane, owner.epoch, engine.reconcile(&owner, &topic, &known).await)
}

/// Renews an owner's leases; `lanes` are the topics' places and the epoch.
pub(super) async fn renew(
    engine: Arc<dyn Engine>,
    owner: Arc<Owner>,
    lanes: Vec<(usize, u64)>,
    held: Vec<(Topic, Vec<Held>)>,
) -> Landed {
    let renewed = engine.renew(&owner, &held).await;
    Landed::Renewed(lanes, renewed)
}

/// Looks who holds leases in these topics; a topic that cannot be looked at is looked at next time.
pub(super) async fn watch(engine: Arc<dyn Engine>, topics: Vec<(usize, Topic)>) -> Landed {
    let mut seen = Vec::new();
    for (lane, topic) in topics {
        if let Ok(leases) = engine.leases(&topic).await
            && !leases.is_empty()
        {
            seen.push((lane, leases));
        }
    }
    Landed::Watched(seen)
}

/// Looks which leases in these topics an owner has that is known to be dead.
pub(super) async fn find(engine: Arc<dyn Engine>, topics: Vec<(usize, Topic)>, dead: Owner) -> Landed {
    let Landed::Watched(seen) = watch(engine, topics).await else { return Landed::Dead(Vec::new()) };
    let is_dead = |lease: &Lease| lease.owner.instance == dead.instance && lease.owner.epoch == dead.epoch;
    let of_lane = |(lane, leases): (usize, Vec<Lease>)| {
        leases.into_iter().filter(is_dead).map(move |lease| (lane, lease)).collect::<Vec<_>>()
    };
    Landed::Dead(seen.into_iter().flat_map(of_lane).collect())
}

/// Gives up a life that others took for dead. What it has claimed since and not begun goes back, and nobody died with it;
/// of what it had `begun`, each is a death.
pub(super) async fn give_up(
    engine: Arc<dyn Engine>,
    lane: usize,
    topic: Topic,
    owner: Arc<Owner>,
    begun: Vec<Seq>,
) -> Landed {
    match engine.reconcile(&owner, &topic, &begun).await {
        Ok(_) => find(engine, vec![(lane, topic)], Owner::clone(&owner)).await,
        // Whoever looks at the leases next takes all for begun.
        Err(error) => Landed::Kept(Err(error)),
    }
}

pub(super) async fn reap(engine: Arc<dyn Engine>, lane: usize, topic: Topic, lease: Lease) -> Landed {
    let reaped = engine.reap(&topic, &lease.owner, lease.beat).await;
    Landed::Reaped(lane, lease.owner, reaped)
}

pub(super) async fn put_worker(engine: Arc<dyn Engine>, info: WorkerInfo, ttl: Duration) -> Landed {
    Landed::Kept(engine.put_worker(&info, ttl.as_millis() as u64).await)
}

/// Drops what is kept past its time, in every topic there is: also in those that no program serves any more.
pub(super) async fn sweep(engine: Arc<dyn Engine>) -> Landed {
    Landed::Kept(sweep_all(&*engine).await)
}

async fn sweep_all(engine: &dyn Engine) -> Result<(), EngineError> {
    for path in engine.topics().await? {
        let Ok(topic) = Topic::new(&path) else { continue };
        while engine.sweep(&topic).await? > 0 {}
    }
    Ok(())
}
