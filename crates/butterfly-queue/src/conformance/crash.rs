//! What was said to be done is done, though all memory is lost right after.

use super::desk::{Desk, Trial, args, failed, numbered, numbered_but, numbers, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::Changed;
use crate::message::{Hold, Second, State, Unique, now_ms};

const HOUR: u64 = 3_600_000;

/// All handles are gone, without a good-bye, and the power too. Gives a new process.
async fn crash<const N: usize>(trial: &Trial, desks: [Desk; N]) -> Proof<Desk> {
    drop(desks);
    trial.crash().await?;
    trial.desk().await
}

/// Messages that were taken in are there after a crash: in their order, with all that was said, and counted.
pub(super) async fn what_was_accepted_survives(trial: &Trial) -> Proof {
    let mut desk = trial.desk().await?;
    for round in 0..5 {
        let mut ids = desk.send_new((0..20).map(|number| numbered(round * 100 + number)).collect()).await?;
        ids.push(desk.send(numbered_but(7, |message| message.run_at = Some(now_ms() + HOUR))).await?);
        desk = crash(trial, [desk]).await?;
        desk.count([round as u64 + 1, 20, 0, 20 * round as u64, 0]).await?;
        for id in &ids {
            holds!(desk.has(id).await?, "the message {id} was lost in a crash");
        }
        let claimed = desk.claim(50).await?;
        let must: Vec<usize> = (0..20).map(|number| round * 100 + number).collect();
        same!(numbers(&claimed), must, "the order after a crash");
        for message in &claimed {
            desk.finish(message).await?;
        }
    }
    Ok(())
}

/// Ends that were said to count hold after a crash: what has finished never runs again.
pub(super) async fn what_was_finished_survives(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let ids = desk.send_new((0..5).map(numbered).collect()).await?;
    let run = desk.claim(4).await?;
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    desk.end_well(&run[2], retry_at(now_ms() + HOUR)).await?;
    desk.end_well(&run[3], crate::End::Released).await?;
    same!(desk.cancel(&ids[4]).await?, Changed::Done, "cancel");
    let before = [desk.message(&ids[0]).await?, desk.message(&ids[1]).await?, desk.message(&ids[2]).await?];

    let desk = crash(trial, [desk]).await?;
    let after = [desk.message(&ids[0]).await?, desk.message(&ids[1]).await?, desk.message(&ids[2]).await?];
    same!(after, before, "messages after a crash");
    desk.count([1, 1, 0, 1, 2]).await?;
    same!(numbers(&desk.claim(9).await?), [3], "claimed after a crash");
    desk.claims_nothing().await
}

/// What was claimed when the worker and the engine crashed is not lost: it is queued still, or in the lease of the dead
/// worker, from which it is taken. It runs once more, and ends once.
pub(super) async fn what_was_claimed_is_not_lost(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    desk.send_new((0..10).map(numbered).collect()).await?;
    let run = desk.claim(6).await?;
    desk.finish(&run[0]).await?;
    let dead = desk.owner.clone();

    let desk = crash(trial, [desk]).await?;
    for lease in desk.engine.leases(&desk.topic).await? {
        same!(lease.owner, dead, "who has a lease after a crash");
        desk.engine.reap(&desk.topic, &lease.owner, lease.beat).await?;
    }
    desk.count([0, 9, 0, 1, 0]).await?;
    let mut claimed = desk.claim(20).await?;
    claimed.sort_by_key(|message| message.seq);
    same!(numbers(&claimed), Vec::from_iter(1..10), "claimed after a crash");
    let late = desk.owned_by(dead);
    same!(
        late.end(&run[1], super::desk::finished()).await?,
        crate::engine::Settled::Lost,
        "an end by the dead"
    );
    for message in &claimed {
        desk.finish(message).await?;
    }
    desk.count([0, 0, 0, 10, 0]).await
}

/// Ids, unique keys, pauses and what is listed are there after a crash.
pub(super) async fn limits_and_keys_survive(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let unique = Unique { key: "key".into(), hold: Hold::WhileAlive, second: Second::Dropped };
    let message = numbered_but(1, |message| {
        message.id = Some("order-7".into());
        message.unique = Some(unique.clone());
    });
    let id = desk.send(message).await?;
    desk.pause(true).await?;

    let desk = crash(trial, [desk]).await?;
    holds!(desk.counts().await?.paused, "a pause was lost in a crash");
    desk.claims_nothing().await?;
    let same_id = desk.offer(numbered_but(2, |message| message.id = Some("order-7".into()))).await?;
    holds!(!same_id.new, "an id was lost in a crash");
    let same_key = desk.offer(numbered_but(3, |message| message.unique = Some(unique))).await?;
    same!((same_key.new, same_key.id), (false, id.clone()), "the message under a unique key after a crash");
    let seq = desk.message(&id).await?.seq;
    let next = desk.send(numbered(4)).await?;
    holds!(desk.message(&next).await?.seq > seq, "a number came again after a crash");
    same!(desk.engine.list(desk.path(), State::Queued, 0, 9).await?[0].spec.args, args(1), "listed first");
    same!(desk.engine.topics().await?.len(), 1, "topics after a crash");
    Ok(())
}
