//! Nobody who waits is forgotten.

use super::desk::{Trial, failed, numbered, numbered_but, retry_at};
use super::ear::{idle, woken_to_claim};
use super::failed::{Proof, holds, same};
use crate::engine::Changed;
use crate::message::{End, NewMessage, State, now_ms};
use crate::topic::Limits;

/// A message wakes who is idle: in the process that sends it and in every other. It goes to one of them.
pub(super) async fn enqueue_wakes_itself_and_others(trial: &Trial) -> Proof {
    let (one, mut ear_of_one) = trial.desk_with_ear().await?;
    let (two, mut ear_of_two) = trial.desk_with_ear().await?;
    for number in 0..5 {
        idle(&one, &mut ear_of_one).await?;
        one.send(numbered(number)).await?;
        let claimed = woken_to_claim(&one, &mut ear_of_one).await?;
        one.finish(&claimed).await?;

        idle(&two, &mut ear_of_two).await?;
        one.send(numbered(number)).await?;
        let claimed = woken_to_claim(&two, &mut ear_of_two).await?;
        two.finish(&claimed).await?;

        idle(&one, &mut ear_of_one).await?;
        idle(&two, &mut ear_of_two).await?;
        trial.desk().await?.send(numbered(number)).await?;
        ear_of_one.topic(one.path()).await?;
        let claimed = woken_to_claim(&two, &mut ear_of_two).await?;
        two.finish(&claimed).await?;
    }
    one.count([0, 0, 0, 15, 0]).await
}

/// A message for later is given at its time to who was idle before it came, and to who waits for a later one.
pub(super) async fn a_scheduled_message_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    idle(&desk, &mut ear).await?;
    let time = now_ms() + 200;
    other.send(numbered_but(1, |message| message.run_at = Some(time))).await?;
    let claimed = woken_to_claim(&desk, &mut ear).await?;
    holds!(now_ms() >= time, "a message was given before its time");
    desk.finish(&claimed).await?;

    other.send(numbered_but(2, |message| message.run_at = Some(now_ms() + 3_600_000))).await?;
    idle(&desk, &mut ear).await?;
    let id = other.send(numbered_but(3, |message| message.run_at = Some(now_ms() + 200))).await?;
    same!(woken_to_claim(&desk, &mut ear).await?.id, id, "given to who waits for a later one");
    Ok(())
}

/// A topic that goes on wakes who waits for it.
pub(super) async fn resume_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    desk.pause(true).await?;
    other.send(numbered(1)).await?;
    idle(&desk, &mut ear).await?;
    other.pause(false).await?;
    woken_to_claim(&desk, &mut ear).await.map(drop)
}

/// An ended message that is queued again wakes.
pub(super) async fn requeue_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    desk.end_well(&claimed, failed("no")).await?;
    idle(&desk, &mut ear).await?;
    same!(other.requeue(&id).await?, Changed::Done, "requeue");
    woken_to_claim(&desk, &mut ear).await.map(drop)
}

/// A run that is to be repeated wakes others, now or for its time.
pub(super) async fn retry_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    other.send(numbered(1)).await?;
    for delay in [0, 200] {
        let claimed = other.claim_one().await?;
        idle(&desk, &mut ear).await?;
        let time = now_ms() + delay;
        other.end_well(&claimed, retry_at(time)).await?;
        let again = woken_to_claim(&desk, &mut ear).await?;
        holds!(now_ms() >= time, "a retry was given before its time");
        desk.end_well(&again, End::Released).await?;
    }
    Ok(())
}

/// What is released wakes others.
pub(super) async fn release_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    other.send(numbered(1)).await?;
    let claimed = other.claim_one().await?;
    idle(&desk, &mut ear).await?;
    other.end_well(&claimed, End::Released).await?;
    woken_to_claim(&desk, &mut ear).await.map(drop)
}

/// What is taken from a dead owner wakes: also in the process that took it.
pub(super) async fn reap_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    other.send(numbered(1)).await?;
    other.claim_one().await?;
    idle(&desk, &mut ear).await?;
    desk.reap(&other.owner).await?;
    woken_to_claim(&desk, &mut ear).await.map(drop)
}

/// What is handed back wakes others.
pub(super) async fn reconcile_wakes(trial: &Trial) -> Proof {
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    other.send(numbered(1)).await?;
    other.claim_one().await?;
    idle(&desk, &mut ear).await?;
    same!(other.engine.reconcile(&other.owner, &other.topic, &[]).await?, 1, "handed back");
    woken_to_claim(&desk, &mut ear).await.map(drop)
}

/// Where no more may run at once, who waits is woken when one has ended, though its worker wants no other.
pub(super) async fn room_below_a_limit_wakes(trial: &Trial) -> Proof {
    let limit = Limits { concurrency: Some(1), ..Limits::default() };
    let key_limit = Limits { keyed: true, key_concurrency: Some(1), ..Limits::default() };
    let (desk, mut ear) = trial.desk_with_ear().await?;
    let other = trial.desk().await?;
    for (path, limits) in [("/case/limit", limit), ("/case/key", key_limit)] {
        let (desk, other) = (desk.at(path)?.with(limits), other.at(path)?.with(limits));
        let of_key = |number| numbered_but(number, |message| message.spec.key = Some("a".into()));
        other.send_new((0..2).map(of_key).collect()).await?;
        let claimed = other.claim_one().await?;
        idle(&desk, &mut ear).await?;
        other.finish(&claimed).await?;
        woken_to_claim(&desk, &mut ear).await?;
    }
    Ok(())
}

/// Who waits for a message under its inbox is told when it has ended, in whichever process; nobody else is.
pub(super) async fn who_waits_is_told_of_the_end(trial: &Trial) -> Proof {
    let (sender, worker, bystander) = (trial.desk().await?, trial.desk().await?, trial.desk().await?);
    let mut ear = sender.listen("host-7:8585")?;
    let mut wrong = bystander.listen("host-8:8585")?;
    let for_inbox =
        |number, inbox: &str| numbered_but(number, |message| message.spec.notify = Some(inbox.into()));
    let first = sender.send(for_inbox(1, "host-7:8585")).await?;
    let second = sender.send(for_inbox(2, "host-8:8585")).await?;
    let run = worker.claim(2).await?;

    // A run that is to be repeated is no end.
    worker.end_well(&run[0], retry_at(now_ms())).await?;
    let again = worker.claim_one().await?;
    worker.finish(&again).await?;
    ear.ended(&first).await?;
    same!(sender.state(&first).await?, State::Finished, "a message whose end was told");

    worker.finish(&run[1]).await?;
    let told = wrong.hear("an end", |wake| matches!(wake, crate::engine::Wake::Ended(_))).await?;
    if trial.wakes {
        same!(told, crate::engine::Wake::Ended(second), "the first end that another inbox is told of");
    }
    Ok(())
}

/// Every kind of end is told: failed, cancelled while it waited, waited too long, died out, not kept.
pub(super) async fn who_waits_is_told_of_every_kind_of_end(trial: &Trial) -> Proof {
    let (sender, worker) = (trial.desk().await?, trial.desk().await?);
    let mut ear = sender.listen("host-7:8585")?;
    let awaited = |number| numbered_but(number, |message| message.spec.notify = Some("host-7:8585".into()));

    let id = sender.send(awaited(1)).await?;
    let claimed = worker.claim_one().await?;
    worker.end_well(&claimed, failed("no")).await?;
    ear.ended(&id).await?;

    let id = sender.send(NewMessage { id: Some("order-7".into()), ..awaited(2) }).await?;
    worker.cancel(&id).await?;
    ear.ended(&id).await?;

    let mut late = awaited(3);
    late.spec.created = now_ms() - 10_000;
    late.spec.ttl_ms = Some(5000);
    let id = sender.send(late.clone()).await?;
    worker.claims_nothing().await?;
    ear.ended(&id).await?;
    let id = sender.send(late).await?;
    worker.sweep().await?;
    ear.ended(&id).await?;

    let id = sender.send(awaited(4)).await?;
    let mut life = worker.reborn();
    for _ in 0..3 {
        same!(life.claim_last_chance(1).await?.len(), 1, "given");
        worker.reap(&life.owner).await?;
        life = life.reborn();
    }
    ear.ended(&id).await?;

    let mut unkept = awaited(5);
    unkept.spec.result_ttl_ms = Some(0);
    let id = sender.send(unkept).await?;
    let claimed = worker.claim_one().await?;
    worker.finish(&claimed).await?;
    ear.ended(&id).await
}
