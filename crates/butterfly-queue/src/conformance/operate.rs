//! What operators do to topics and messages.

use super::desk::{Trial, args, failed, finished, numbered, numbered_but, numbers, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::{Changed, Edited, Next};
use crate::message::{End, State, now_ms};

/// A topic that is paused gives nothing to any process; it takes messages and ends as before. A topic may be paused before
/// it ever had a message.
pub(super) async fn pause_stops_claims_everywhere(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let there = desk.at("/case/other")?;
    other.pause(true).await?;
    holds!(desk.counts().await?.paused, "a paused topic is not said to be");
    desk.send_new((0..3).map(numbered).collect()).await?;
    there.send(numbered(9)).await?;
    desk.claims_nothing().await?;
    other.claims_nothing().await?;
    same!(desk.claim_and_next(1).await?.1, Next::Wake, "when to ask a paused topic again");
    same!(numbers(&there.claim(9).await?), [9], "another topic's");

    desk.pause(false).await?;
    holds!(!other.counts().await?.paused, "a topic that goes on is said to be paused");
    let claimed = other.claim_one().await?;
    desk.pause(true).await?;
    desk.pause(true).await?;
    other.finish(&claimed).await?;
    same!(other.claim(1).await?.len(), 0, "claimed of a paused topic");
    desk.count([0, 2, 0, 1, 0]).await?;
    desk.pause(false).await?;
    same!(numbers(&other.claim(9).await?), [1, 2], "the others");
    Ok(())
}

/// An ended message that is queued again is as new: no attempts, deaths, result, error or times. It keeps its id and what
/// its sender said.
pub(super) async fn requeue_makes_it_new(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let ids = desk
        .send_new(vec![numbered(0), numbered_but(1, |message| message.id = Some("order-7".into()))])
        .await?;
    for end in [failed("no"), finished()] {
        let mut life = trial.desk().await?;
        for _ in 0..2 {
            life.claim(2).await?;
            desk.reap(&life.owner).await?;
            life = life.reborn();
        }
        for (attempts, end) in [(0, retry_at(now_ms())), (1, end)] {
            let mut suspects = desk.claim_last_chance(1).await?;
            suspects.extend(desk.claim_last_chance(1).await?);
            same!(suspects.len(), 2, "given with a last chance");
            for suspect in &suspects {
                same!((suspect.attempts, suspect.deaths), (attempts, 2), "attempts and deaths");
                desk.end_well(suspect, end.clone()).await?;
            }
        }
        for id in &ids {
            let before = desk.message(id).await?;
            holds!(before.attempts == 1 && before.deaths == 2, "before: {before:?}");
            same!(other.requeue(id).await?, Changed::Done, "requeue");
            let message = desk.message(id).await?;
            same!((message.state, &message.id, message.seq), (State::Queued, id, before.seq), "queued again");
            same!((message.attempts, message.deaths), (0, 0), "attempts and deaths");
            same!(
                (message.stat, message.result, message.error),
                (None, None, None),
                "stat, result and error"
            );
            same!((message.started, message.ended), (None, None), "times");
            same!(message.spec, before.spec, "what the sender said");
        }
        desk.count([0, 2, 0, 0, 0]).await?;
    }
    let claimed = desk.claim(9).await?;
    same!(claimed.len(), 2, "claimed");
    holds!(
        claimed.iter().all(|message| message.attempts + message.deaths == 0),
        "something is held against them"
    );
    for message in &claimed {
        desk.finish(message).await?;
    }
    desk.count([0, 0, 0, 2, 0]).await
}

/// Other arguments may be given: they are the message's from then on.
pub(super) async fn requeue_with_other_arguments(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    desk.end_well(&claimed, failed("no")).await?;
    let other_args = "{\"n\":2,\"线\":\"much longer than those before\"}";
    let edited = Edited { args: other_args, key: None };
    same!(desk.engine.requeue(desk.path(), &id, Some(edited)).await?, Changed::Done, "requeue");
    let claimed = desk.claim_one().await?;
    same!(claimed.spec.args, other_args, "the arguments");
    desk.finish(&claimed).await?;
    same!(desk.message(&id).await?.spec.args, other_args, "the arguments");
    same!(desk.requeue(&id).await?, Changed::Done, "requeue");
    same!(desk.claim_one().await?.spec.args, other_args, "the arguments");
    Ok(())
}

/// What waits or runs is not queued again.
pub(super) async fn requeue_only_what_has_ended(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let later = desk.send(numbered_but(2, |message| message.run_at = Some(now_ms() + 3_600_000))).await?;
    let no = |state| Changed::NotIn(state);
    let again = desk.engine.requeue(desk.path(), &id, Some(Edited { args: "{}", key: None })).await?;
    same!(again, no(State::Queued), "requeue of a queued one");
    same!(desk.requeue(&later).await?, no(State::Scheduled), "requeue of a scheduled one");
    let claimed = desk.claim_one().await?;
    same!(claimed.spec.args, args(1), "arguments of a message that was not queued again");
    same!(desk.requeue(&id).await?, no(State::Started), "requeue of a running one");
    desk.count([1, 0, 1, 0, 0]).await
}

/// All but running messages can be removed, and then nothing is left of them.
pub(super) async fn delete_all_but_what_runs(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let hour = now_ms() + 3_600_000;
    let ids = desk.send_new((0..5).map(numbered).collect()).await?;
    let later = desk.send(numbered_but(5, |message| message.run_at = Some(hour))).await?;
    let run = desk.claim(4).await?;
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    desk.end_well(&run[2], retry_at(hour)).await?;
    same!(other.delete(&ids[3]).await?, Changed::NotIn(State::Started), "delete of a running one");
    for id in [&ids[0], &ids[1], &ids[2], &ids[4], &later] {
        same!(other.delete(id).await?, Changed::Done, "delete");
        holds!(!desk.has(id).await?, "a message that was deleted is there");
        same!(other.delete(id).await?, Changed::Missing, "delete, again");
    }
    desk.count([0, 0, 1, 0, 0]).await?;
    for state in State::ALL {
        let listed = desk.engine.list(desk.path(), state, 0, 10).await?.len();
        same!(listed, usize::from(state == State::Started), "listed as {state}");
    }
    desk.claims_nothing().await?;
    desk.finish(&run[3]).await?;
    desk.count([0, 0, 0, 1, 0]).await
}

/// A state is emptied in steps, until none is left; other states and topics are not touched, and running messages never.
pub(super) async fn empty_a_state(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let there = desk.at("/case/other")?;
    there.send(numbered(0)).await?;
    let hour = now_ms() + 3_600_000;
    for round in 0..9 {
        desk.send_new((0..4).map(numbered).collect()).await?;
        let run = desk.claim(4).await?;
        desk.finish(&run[0]).await?;
        desk.end_well(&run[1], failed("no")).await?;
        desk.end_well(&run[2], retry_at(hour + round)).await?;
    }
    desk.send_new((0..9).map(numbered).collect()).await?;
    desk.count([9, 9, 9, 9, 9]).await?;
    let mut must = [9; 5];
    for (at, state) in State::ALL.into_iter().enumerate().filter(|(_, state)| *state != State::Started) {
        let mut removed = vec![];
        loop {
            let some = desk.engine.empty(desk.path(), state, 4).await?;
            if some == 0 {
                break;
            }
            removed.push(some);
            must[at] -= some;
            desk.count(must).await?;
        }
        holds!(removed.iter().all(|some| *some <= 4), "removed in steps of at most 4: {removed:?}");
        same!(must[at], 0, "left as {state}");
        same!(desk.engine.list(desk.path(), state, 0, 10).await?.len(), 0, "listed as {state}");
    }
    same!(desk.engine.empty(desk.path(), State::Started, 9).await?, 0, "running messages removed");
    desk.count([0, 0, 9, 0, 0]).await?;
    same!(desk.engine.empty("/never/used", State::Queued, 9).await?, 0, "removed of a topic that never was");
    there.count([0, 1, 0, 0, 0]).await?;

    let held = desk.engine.list(desk.path(), State::Started, 0, 9).await?;
    same!(held.len(), 9, "running messages");
    desk.send(numbered(7)).await?;
    let claimed = desk.claim_one().await?;
    same!(claimed.spec.args, args(7), "what is sent to a topic that was emptied");
    desk.end_well(&claimed, End::Released).await
}
