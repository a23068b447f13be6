//! How a run ends: once, in order, and with what follows from it.

use super::desk::{Trial, failed, finished, numbered, numbers, outcome, pass, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::{Next, Settled, Want};
use crate::message::{End, MsgId, State, now_ms};

/// A retry waits for its time, with one attempt more and the error of the run before it.
pub(super) async fn retry_waits_for_its_time(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let id = desk.send(numbered(1)).await?;
    for attempt in 1..=3 {
        let claimed = desk.claim_one().await?;
        same!(claimed.attempts, attempt - 1, "runs that failed before");
        let at = now_ms() + 300;
        desk.end_well(&claimed, retry_at(at)).await?;
        let message = other.message(&id).await?;
        same!((message.state, message.run_at), (State::Scheduled, Some(at)), "a message to be tried again");
        same!((message.attempts, message.deaths), (attempt, 0), "its attempts and deaths");
        same!(message.error.as_deref(), Some("not yet"), "why its last run failed");
        loop {
            let (claimed, next) = other.claim_and_next(1).await?;
            if !claimed.is_empty() {
                holds!(now_ms() >= at, "a retry was given before its time");
                other.end_well(&claimed[0], End::Released).await?;
                break;
            }
            holds!(matches!(next, Next::At(_)), "a retry is scheduled, and the engine says {next:?}");
            pass(10).await;
        }
    }
    Ok(())
}

/// A retry whose time has come already is queued at once.
pub(super) async fn retry_at_once(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    desk.end_well(&claimed, retry_at(now_ms() - 1)).await?;
    same!(desk.state(&id).await?, State::Queued, "state of a retry whose time has come");
    let again = desk.claim_one().await?;
    same!((again.seq, again.attempts), (claimed.seq, 1), "the retry");
    desk.finish(&again).await?;
    let message = desk.message(&id).await?;
    same!(
        (message.state, message.attempts),
        (State::Finished, 1),
        "a message that finished at its second run"
    );
    desk.count([0, 0, 0, 1, 0]).await
}

/// A run that does not count (the handler said: later) leaves the attempts as they are.
pub(super) async fn retry_need_not_count(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    for _ in 0..3 {
        let claimed = desk.claim_one().await?;
        same!(claimed.attempts, 0, "runs that counted");
        let end = End::Retry { at: now_ms(), error: "busy".into(), counts: false };
        desk.end_well(&claimed, end).await?;
    }
    let message = desk.message(&id).await?;
    same!(
        (message.attempts, message.error.as_deref()),
        (0, Some("busy")),
        "after three runs that do not count"
    );
    Ok(())
}

/// What is released may be had at once by anybody, and nothing is held against it.
pub(super) async fn release_gives_back(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let id = desk.send(numbered(1)).await?;
    for worker in [&desk, &other, &other, &desk] {
        let claimed = worker.claim_one().await?;
        same!((claimed.attempts, claimed.deaths), (0, 0), "held against a message that was released");
        worker.end_well(&claimed, End::Released).await?;
        same!(worker.state(&id).await?, State::Queued, "state of a message that was released");
    }
    desk.count([0, 1, 0, 0, 0]).await
}

/// An exchange whose answer was lost is repeated: ends that were in the books are said to be, and nothing is done twice,
/// not to the message's next run either.
///
/// Of a run that was released or is tried again, and of a message that is not kept, an engine need not know any more
/// that it was this owner's: it may say that it is lost.
pub(super) async fn a_repeated_exchange_does_nothing_twice(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    desk.send_new((0..5).map(numbered).collect()).await?;
    let run = desk.claim(5).await?;
    let hour = now_ms() + 3_600_000;
    let ends = vec![
        outcome(&run[0], finished()),
        outcome(&run[1], failed("no")),
        outcome(&run[2], retry_at(hour)),
        outcome(&run[3], End::Released),
    ];
    let first = desk.exchange(ends.clone(), Want::default()).await?;
    same!(first.settled, [Settled::Done; 4], "ends");
    desk.count([1, 1, 1, 1, 1]).await?;
    for _ in 0..2 {
        let again = desk.exchange(ends.clone(), Want::default()).await?;
        same!(again.settled[..2], [Settled::Done; 2], "ends that are repeated");
        desk.count([1, 1, 1, 1, 1]).await?;
    }
    let retried = desk.message(&run[2].id).await?;
    same!(retried.attempts, 1, "attempts after a retry was told three times");
    desk.finish(&run[4]).await?;
    let again = desk.exchange(ends, Want::default()).await?;
    same!(again.settled[..2], [Settled::Done; 2], "ends that are repeated after others");
    desk.count([1, 1, 0, 2, 1]).await?;

    // A retry that was told twice does not end the next run.
    let claimed = desk.claim_one().await?;
    let end = outcome(&claimed, retry_at(now_ms()));
    desk.exchange(vec![end.clone()], Want::default()).await?;
    let second = desk.claim_one().await?;
    desk.exchange(vec![end], Want::default()).await?;
    same!(
        desk.state(&second.id).await?,
        State::Started,
        "the second run, when the first one's end is told again"
    );
    desk.finish(&second).await
}

/// Each end is answered at its own place, and what is wrong with one does not touch the others.
pub(super) async fn ends_are_answered_in_order(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send_new((0..4).map(numbered).collect()).await?;
    let mine = desk.claim(2).await?;
    let others = other.claim(2).await?;
    let ends = vec![
        outcome(&others[0], finished()),
        outcome(&mine[0], finished()),
        outcome(&others[1], failed("no")),
        outcome(&mine[1], failed("no")),
    ];
    let settled = desk.exchange(ends, Want::default()).await?.settled;
    same!(settled, [Settled::Lost, Settled::Done, Settled::Lost, Settled::Done], "ends");
    desk.count([0, 0, 2, 1, 1]).await
}

/// A worker that is well fed ends hundreds and takes hundreds in each exchange.
pub(super) async fn many_ends_and_claims_at_once(trial: &Trial) -> Proof {
    const ALL: usize = 2000;
    let desk = trial.desk().await?;
    let ids: Vec<MsgId> = desk.send_new((0..ALL).map(numbered).collect()).await?;
    let (mut ends, mut given) = (vec![], vec![]);
    while given.len() < ALL || !ends.is_empty() {
        let told = ends.len();
        let exchange =
            desk.exchange(std::mem::take(&mut ends), Want { count: 500, last_chance: false }).await?;
        same!(exchange.settled, vec![Settled::Done; told], "ends");
        holds!(told + exchange.claimed.len() > 0, "nothing more is given after {} of {ALL}", given.len());
        given.extend(numbers(&exchange.claimed));
        ends = exchange.claimed.iter().map(|message| outcome(message, finished())).collect();
    }
    same!(given, Vec::from_iter(0..ALL), "the order of many");
    desk.count([0, 0, 0, ALL as u64, 0]).await?;
    same!(desk.state(&ids[ALL - 1]).await?, State::Finished, "the last one");
    Ok(())
}
