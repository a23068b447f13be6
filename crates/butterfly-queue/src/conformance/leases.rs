//! Owners, their beats, their deaths.

use super::desk::{Trial, finished, numbered, numbers, outcome};
use super::failed::{Proof, holds, same};
use crate::engine::{Held, Next, Settled, Want};
use crate::message::State;

/// Who holds messages has a lease, and a renewal gives it another beat.
///
/// An owner that holds nothing may be listed or not.
pub(super) async fn a_lease_has_a_beat(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    same!(desk.engine.leases(&desk.topic).await?, [], "leases of a topic that nobody works at");
    desk.send_new((0..2).map(numbered).collect()).await?;
    desk.claim_one().await?;
    other.claim_one().await?;
    let mut seen = vec![other.lease_of(&desk.owner).await?.beat];
    for _ in 0..3 {
        holds!(desk.renew().await?, "an owner is said to have lost its lease");
        let beat = other.lease_of(&desk.owner).await?.beat;
        holds!(!seen.contains(&beat), "the beat {beat} was there before: {seen:?}");
        seen.push(beat);
    }
    let still = other.lease_of(&other.owner).await?;
    desk.renew().await?;
    same!(desk.lease_of(&other.owner).await?, still, "the lease of who did not renew");
    Ok(())
}

/// Who has watched a beat that is over takes nothing: the owner lives.
pub(super) async fn reap_compares_the_beat(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    let watched = other.lease_of(&desk.owner).await?.beat;
    holds!(desk.renew().await?, "an owner is said to have lost its lease");
    let reaped = other.engine.reap(&other.topic, &desk.owner, watched).await?;
    same!((reaped.returned, reaped.failed), (0, 0), "taken by a beat that is over");
    holds!(desk.renew().await?, "an owner lost its lease to a beat that is over");
    other.claims_nothing().await?;
    desk.finish(&claimed).await?;
    desk.count([0, 0, 0, 1, 0]).await
}

/// Who was taken for dead hears it at the next renewal, and is no longer listed. Nobody is reaped twice.
pub(super) async fn a_reaped_owner_is_told(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send_new((0..3).map(numbered).collect()).await?;
    let claimed = desk.claim(3).await?;
    let beat = other.lease_of(&desk.owner).await?.beat;
    let reaped = other.engine.reap(&other.topic, &desk.owner, beat).await?;
    same!((reaped.returned, reaped.failed), (3, 0), "taken from the dead");
    let again = other.engine.reap(&other.topic, &desk.owner, beat).await?;
    same!((again.returned, again.failed), (0, 0), "taken a second time");
    let leases = other.engine.leases(&other.topic).await?;
    holds!(leases.iter().all(|lease| lease.owner != desk.owner), "still listed: {leases:?}");
    let held = Held { seq: claimed[0].seq, started: 1, progress: None };
    let renewed = desk.engine.renew(&desk.owner, &[(desk.topic.clone(), vec![held])]).await?;
    holds!(!renewed[0].held, "the dead one is said to hold its lease");
    desk.count([0, 3, 0, 0, 0]).await?;
    for message in other.claim(3).await? {
        same!((message.deaths, message.attempts), (1, 0), "deaths and attempts after one death");
        same!(other.message(&message.id).await?.deaths, 1, "deaths that are seen");
    }
    Ok(())
}

/// Who was taken for dead and asks for more is given some, or told to come back as another: not to wait.
pub(super) async fn a_reaped_owner_does_not_wait_in_vain(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send_new((0..2).map(numbered).collect()).await?;
    let claimed = desk.claim_one().await?;
    same!(other.reap(&desk.owner).await?, (1, 0), "taken from the dead");
    // It does not know yet, and tells what it has done.
    let ends = vec![outcome(&claimed, finished())];
    let exchange = desk.exchange(ends, Want { count: 2, last_chance: false }).await?;
    same!(exchange.settled, [Settled::Lost], "the end of what it lost");
    let mine = match exchange.next {
        Next::Over => desk.reborn().claim(2).await?,
        _ => exchange.claimed,
    };
    same!(mine.len(), 2, "given to one who was taken for dead, with {:?}", exchange.next);
    Ok(())
}

/// Who has ended all it held was not reaped: a renewal says that it holds its lease, or it would take a new epoch for
/// nothing. So is who goes on after it.
pub(super) async fn an_idle_owner_is_not_reaped(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    for number in 0..3 {
        desk.send(numbered(number)).await?;
        let claimed = desk.claim_one().await?;
        holds!(desk.renew().await?, "an owner is said to have lost its lease");
        let ends = vec![outcome(&claimed, finished())];
        desk.exchange(ends, Want { count: 1, last_chance: false }).await?;
        holds!(desk.renew().await?, "an owner that has ended all is said to have lost its lease");
    }
    Ok(())
}

/// The dead one's messages are taken, and nobody else's.
pub(super) async fn reap_takes_only_that_owners(trial: &Trial) -> Proof {
    let (one, two) = (trial.desk().await?, trial.desk().await?);
    let three = two.reborn();
    one.send_new((0..30).map(numbered).collect()).await?;
    for _ in 0..5 {
        for desk in [&one, &two, &three] {
            desk.claim(2).await?;
        }
    }
    let ended = three.claim(1).await?;
    same!(ended.len(), 0, "messages that are left");
    same!(three.reap(&two.owner).await?, (10, 0), "taken from the dead");
    holds!(one.renew().await? && three.renew().await?, "a living owner is said to have lost its lease");
    one.count([0, 10, 20, 0, 0]).await?;
    let taken = numbers(&one.claim(30).await?);
    let must: Vec<usize> = (0..30).filter(|number| number % 6 / 2 == 1).collect();
    holds!(taken.len() == must.len() && must.iter().all(|number| taken.contains(number)), "taken: {taken:?}");
    Ok(())
}

/// A message whose workers died three times is failed, and the reason says so.
pub(super) async fn three_deaths_are_a_failure(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let mut life = trial.desk().await?;
    for death in 1..=3 {
        let claimed = if death == 3 { life.claim_last_chance(1).await? } else { life.claim(1).await? };
        same!(claimed.len(), 1, "given for the run number {death}");
        same!(claimed[0].deaths, death - 1, "deaths before");
        let must = if death == 3 { (0, 1) } else { (1, 0) };
        same!(desk.reap(&life.owner).await?, must, "queued again and failed by death number {death}");
        life = life.reborn();
    }
    let message = desk.message(&id).await?;
    same!((message.state, message.deaths), (State::Failed, 3), "after three deaths");
    let reason = message.error.unwrap_or_default().to_lowercase();
    holds!(["die", "dead", "death"].iter().any(|word| reason.contains(word)), "the reason is {reason:?}");
    holds!(message.ended.is_some(), "it is not said when it failed");
    desk.claims_nothing().await?;
    desk.count([0, 0, 0, 0, 1]).await
}

/// A message with two deaths is given only to who asks for a last chance, and then nothing else is given: so that no
/// innocent message is with it when it kills again. Of several, each is given alone.
pub(super) async fn a_suspect_runs_alone(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let dying = trial.desk().await?;
    desk.send_new((0..2).map(numbered).collect()).await?;
    let mut life = dying;
    for _ in 0..2 {
        same!(life.claim(2).await?.len(), 2, "given to one that dies");
        same!(desk.reap(&life.owner).await?, (2, 0), "taken from the dead");
        life = life.reborn();
    }
    desk.send_new((2..5).map(numbered).collect()).await?;
    desk.count([0, 5, 0, 0, 0]).await?;
    same!(numbers(&desk.claim(2).await?), [2, 3], "given without a last chance");
    let mut alone = vec![];
    for _ in 0..2 {
        let given = desk.claim_last_chance(10).await?;
        same!(given.len(), 1, "given with a last chance");
        same!(given[0].deaths, 2, "its deaths");
        alone.extend(numbers(&given));
    }
    alone.sort_unstable();
    same!(alone, [0, 1], "the suspects");
    same!(
        numbers(&desk.claim_last_chance(10).await?),
        [4],
        "given with a last chance when no suspect is left"
    );
    desk.claims_nothing().await
}

/// What the owner holds without knowing it is queued again, without a death; the rest stays its own.
pub(super) async fn reconcile_hands_back_the_unknown(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send_new((0..6).map(numbered).collect()).await?;
    let mine = desk.claim(4).await?;
    let others = other.claim(2).await?;
    let known = [mine[0].seq, mine[2].seq, others[0].seq, 12];
    same!(desk.engine.reconcile(&desk.owner, &desk.topic, &known).await?, 2, "handed back");
    desk.count([0, 2, 4, 0, 0]).await?;
    same!(desk.engine.reconcile(&desk.owner, &desk.topic, &known).await?, 0, "handed back again");
    let mut back = other.claim(9).await?;
    back.sort_by_key(|message| message.seq);
    same!(numbers(&back), [1, 3], "handed back");
    holds!(
        back.iter().all(|message| message.deaths == 0 && message.attempts == 0),
        "something is held against them"
    );
    desk.finish(&mine[0]).await?;
    desk.finish(&mine[2]).await?;
    for message in others.iter().chain(&back) {
        other.finish(message).await?;
    }
    let nobody = desk.reborn();
    same!(
        desk.engine.reconcile(&nobody.owner, &desk.topic, &[]).await?,
        0,
        "handed back by who holds nothing"
    );
    desk.count([0, 0, 0, 6, 0]).await
}

/// Leases are by topic: the dead one's messages of another topic are taken when that topic is reaped.
pub(super) async fn leases_are_by_topic(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let there = desk.at("/case/other")?;
    for desk in [&desk, &there] {
        desk.send(numbered(1)).await?;
        desk.claim_one().await?;
    }
    let topics = [(desk.topic.clone(), vec![]), (there.topic.clone(), vec![])];
    let renewed = desk.engine.renew(&desk.owner, &topics).await?;
    same!(renewed.iter().map(|renewed| renewed.held).collect::<Vec<_>>(), [true, true], "held");
    same!(desk.reap(&desk.owner).await?, (1, 0), "taken of one topic");
    there.count([0, 0, 1, 0, 0]).await?;
    let renewed = desk.engine.renew(&desk.owner, &topics).await?;
    same!(renewed.iter().map(|renewed| renewed.held).collect::<Vec<_>>(), [false, true], "held");
    same!(there.reap(&desk.owner).await?, (1, 0), "taken of the other");
    Ok(())
}
