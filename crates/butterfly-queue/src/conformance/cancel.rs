//! Messages that nobody wants any more.

use super::desk::{Trial, failed, finished, numbered, numbered_but, numbers, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::Changed;
use crate::message::{End, State, now_ms};

/// One that waits is failed at once, with the words of who cancelled it.
pub(super) async fn cancel_what_waits(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let hour = now_ms() + 3_600_000;
    let ids = desk
        .send_new(vec![
            numbered(1),
            numbered(2),
            numbered(3),
            numbered_but(4, |message| message.run_at = Some(hour)),
            numbered_but(5, |message| message.spec.priority = 9),
        ])
        .await?;
    for id in [&ids[1], &ids[3], &ids[4]] {
        same!(other.engine.cancel(desk.path(), id, "no longer wanted").await?, Changed::Done, "cancel");
        let message = desk.message(id).await?;
        same!(
            (message.state, message.error.as_deref()),
            (State::Failed, Some("no longer wanted")),
            "cancelled"
        );
        holds!(message.ended.is_some(), "it is not said when it was cancelled");
    }
    desk.count([0, 2, 0, 0, 3]).await?;
    same!(numbers(&desk.claim(9).await?), [1, 3], "those that were not cancelled");
    Ok(())
}

/// The worker of one that runs is told, by a wake-up and at its next renewal; the message fails when the worker says so.
pub(super) async fn cancel_what_runs(trial: &Trial) -> Proof {
    let ((desk, mut ear), other) = (trial.desk_with_ear().await?, trial.desk().await?);
    let ids = desk.send_new((0..3).map(numbered).collect()).await?;
    let run = desk.claim(3).await?;
    ear.clear();
    same!(other.cancel(&ids[1]).await?, Changed::Told, "cancel of a running message");
    ear.cancelled(desk.path(), run[1].seq).await?;
    same!(other.cancel(&ids[1]).await?, Changed::Told, "cancel of a running message, again");
    for _ in 0..2 {
        let renewed = desk.engine.renew(&desk.owner, &[(desk.topic.clone(), vec![])]).await?;
        same!(renewed[0].cancelled, [run[1].seq], "what a renewal says was cancelled");
        holds!(renewed[0].held, "the owner is said to have lost its lease");
    }
    same!(desk.state(&ids[1]).await?, State::Started, "a cancelled message, until its worker ends it");
    desk.end_well(&run[1], failed("cancelled by a case")).await?;
    let renewed = desk.engine.renew(&desk.owner, &[(desk.topic.clone(), vec![])]).await?;
    same!(renewed[0].cancelled, [0; 0], "what a renewal says was cancelled, when it has ended");
    let message = desk.message(&ids[1]).await?;
    same!(
        (message.state, message.error.as_deref()),
        (State::Failed, Some("cancelled by a case")),
        "the message"
    );
    desk.count([0, 0, 2, 0, 1]).await
}

/// One that has ended stays as it is.
pub(super) async fn cancel_what_has_ended(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let ids = desk.send_new((0..2).map(numbered).collect()).await?;
    let run = desk.claim(2).await?;
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    let before = [desk.message(&ids[0]).await?, desk.message(&ids[1]).await?];
    same!(desk.cancel(&ids[0]).await?, Changed::NotIn(State::Finished), "cancel of a finished message");
    same!(desk.cancel(&ids[1]).await?, Changed::NotIn(State::Failed), "cancel of a failed message");
    same!([desk.message(&ids[0]).await?, desk.message(&ids[1]).await?], before, "messages that had ended");
    Ok(())
}

/// A run that was faster than who cancelled it counts. Queued again, the message is as new: nothing of the cancel is left.
pub(super) async fn a_cancelled_run_may_still_finish(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    same!(desk.cancel(&id).await?, Changed::Told, "cancel of a running message");
    desk.end_well(&claimed, finished()).await?;
    let message = desk.message(&id).await?;
    same!((message.state, message.stat.as_deref()), (State::Finished, Some("OK")), "the message");
    same!(desk.requeue(&id).await?, Changed::Done, "requeue");
    let claimed = desk.claim_one().await?;
    let renewed = desk.engine.renew(&desk.owner, &[(desk.topic.clone(), vec![])]).await?;
    same!(renewed[0].cancelled, [0; 0], "what a renewal says was cancelled");
    desk.end_well(&claimed, End::Released).await?;
    same!(desk.state(&id).await?, State::Queued, "the message, released after its requeue");
    Ok(())
}

/// A running message that was cancelled never runs again, however its run ends: when it is released or to be tried again,
/// handed back, or its worker dies, it fails with the words of who cancelled it.
pub(super) async fn a_cancelled_message_does_not_come_back(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let ids = desk.send_new((0..5).map(numbered).collect()).await?;
    let mut run = desk.claim(3).await?;
    let dying = desk.reborn();
    run.extend(dying.claim(1).await?);
    let forgetful = dying.reborn();
    run.extend(forgetful.claim(1).await?);
    for id in &ids {
        same!(desk.cancel(id).await?, Changed::Told, "cancel of a running message");
    }
    desk.end_well(&run[0], End::Released).await?;
    desk.end_well(&run[1], retry_at(now_ms() + 3_600_000)).await?;
    desk.end_well(&run[2], retry_at(now_ms())).await?;
    desk.reap(&dying.owner).await?;
    forgetful.engine.reconcile(&forgetful.owner, &desk.topic, &[]).await?;
    for id in &ids {
        let message = desk.message(id).await?;
        let number = message.spec.args.clone();
        same!(message.state, State::Failed, "state of the cancelled message {number}");
        same!(
            message.error.as_deref(),
            Some("cancelled by a case"),
            "error of the cancelled message {number}"
        );
    }
    desk.claims_nothing().await?;
    desk.count([0, 0, 0, 0, 5]).await
}
