//! An end counts only in the lease in which the message was claimed.

use super::desk::{Desk, Trial, failed, finished, numbered, retry_at};
use super::failed::{Proof, same};
use crate::engine::Settled;
use crate::message::{Claimed, End, State, now_ms};

/// Whatever end this owner tells of the message, it is lost, and the message stays as it is.
async fn cannot_end(desk: &Desk, message: &Claimed) -> Proof {
    let before = desk.message(&message.id).await?;
    for end in [finished(), failed("no"), retry_at(now_ms() + 1000), End::Released] {
        let what = format!("the end {end:?} by {}", desk.owner.key());
        same!(desk.end(message, end).await?, Settled::Lost, "{what}");
    }
    same!(desk.message(&message.id).await?, before, "the message, after ends that do not count");
    Ok(())
}

/// Nobody ends what another one claimed, nor what nobody claimed.
pub(super) async fn nobody_ends_anothers_message(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    cannot_end(&other, &claimed).await?;
    desk.end_well(&claimed, End::Released).await?;
    cannot_end(&other, &claimed).await?;
    desk.count([0, 1, 0, 0, 0]).await
}

/// A worker that was taken for dead and comes back late ends nothing: not while the message waits, not while another one
/// runs it, not when that one has ended it.
pub(super) async fn a_late_worker_cannot_end(trial: &Trial) -> Proof {
    let (late, other) = (trial.desk().await?, trial.desk().await?);
    late.send(numbered(1)).await?;
    let first = late.claim_one().await?;
    same!(other.reap(&late.owner).await?, (1, 0), "taken from the dead");
    cannot_end(&late, &first).await?;

    let second = other.claim_one().await?;
    same!((second.seq, second.deaths, second.attempts), (first.seq, 1, 0), "the message after a death");
    cannot_end(&late, &first).await?;
    cannot_end(&late, &second).await?;

    other.finish(&second).await?;
    cannot_end(&late, &first).await?;
    late.count([0, 0, 0, 1, 0]).await
}

/// The same process in an earlier life ends nothing either.
pub(super) async fn an_earlier_life_cannot_end(trial: &Trial) -> Proof {
    let before = trial.desk().await?;
    let after = trial.desk().await?.owned_by(before.reborn().owner);
    before.send(numbered(1)).await?;
    let first = before.claim_one().await?;
    after.reap(&before.owner).await?;
    let second = after.claim_one().await?;
    cannot_end(&before, &first).await?;
    cannot_end(&before, &second).await?;
    after.finish(&second).await?;
    cannot_end(&before, &second).await?;
    same!(after.state(&second.id).await?, State::Finished, "the message");
    Ok(())
}

/// A message that its owner has ended does not end otherwise, and never runs again.
pub(super) async fn an_ended_message_cannot_end_otherwise(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    desk.send_new((0..2).map(numbered).collect()).await?;
    let run = desk.claim(2).await?;
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    let before = [desk.message(&run[0].id).await?, desk.message(&run[1].id).await?];
    // What is answered here is the engine's to choose: it may take these for repetitions.
    desk.end(&run[0], failed("otherwise")).await?;
    desk.end(&run[0], End::Released).await?;
    desk.end(&run[0], retry_at(now_ms())).await?;
    desk.end(&run[1], finished()).await?;
    desk.end(&run[1], retry_at(now_ms())).await?;
    let after = [desk.message(&run[0].id).await?, desk.message(&run[1].id).await?];
    same!(after, before, "messages that have ended");
    desk.claims_nothing().await?;
    desk.count([0, 0, 0, 1, 1]).await
}

/// What an owner handed back, by a reconciliation that did not know it, is no longer its own.
pub(super) async fn what_was_handed_back_cannot_end(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send(numbered(1)).await?;
    let first = desk.claim_one().await?;
    same!(desk.engine.reconcile(&desk.owner, &desk.topic, &[]).await?, 1, "handed back");
    cannot_end(&desk, &first).await?;
    let second = other.claim_one().await?;
    cannot_end(&desk, &first).await?;
    other.finish(&second).await
}
