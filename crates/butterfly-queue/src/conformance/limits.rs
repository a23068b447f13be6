//! Depth, concurrency and rate of a topic.

use super::desk::{Desk, Trial, failed, finished, numbered, numbered_but, numbers, outcome, pass, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::{Changed, EngineError, Next, Want};
use crate::message::{End, now_ms};
use crate::topic::{Limits, Rate};

const HOUR: u64 = 3_600_000;

/// Above the depth a message is refused, and the others of its batch are taken in. What is scheduled waits too.
pub(super) async fn depth_refuses_only_the_rest(trial: &Trial) -> Proof {
    let desk = trial.desk().await?.with(Limits { depth: Some(5), ..Limits::default() });
    desk.send_new(vec![
        numbered(0),
        numbered_but(1, |message| message.run_at = Some(now_ms() + HOUR)),
        numbered_but(2, |message| message.id = Some("order-7".into())),
    ])
    .await?;
    let full =
        |answer: &Result<_, EngineError>| matches!(answer, Err(EngineError::Full { depth: 5, limit: 5 }));
    let known = numbered_but(9, |message| message.id = Some("order-7".into()));
    let answers =
        desk.send_all(vec![numbered(3), numbered(4), numbered(5), known.clone(), numbered(6)]).await?;
    holds!(answers[0].is_ok() && answers[1].is_ok(), "refused below the depth: {answers:?}");
    holds!(full(&answers[2]) && full(&answers[4]), "above the depth: {answers:?}");
    holds!(answers[3].as_ref().is_ok_and(|accepted| !accepted.new), "one that is there already: {answers:?}");
    desk.count([1, 4, 0, 0, 0]).await?;

    // What runs does not wait.
    let run = desk.claim(2).await?;
    same!(numbers(&run), [0, 2], "claimed");
    let answers = desk.send_all((7..11).map(numbered).collect()).await?;
    same!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, false], "taken in");
    desk.count([1, 4, 2, 0, 0]).await
}

/// The depth is for newcomers: what is there already may come back above it.
pub(super) async fn depth_is_for_newcomers(trial: &Trial) -> Proof {
    let desk = trial.desk().await?.with(Limits { depth: Some(2), ..Limits::default() });
    let mut run = vec![];
    for number in 0..6 {
        desk.send(numbered(number)).await?;
        run.push(desk.claim_one().await?);
    }
    desk.send_new((6..8).map(numbered).collect()).await?;
    desk.end_well(&run[0], End::Released).await?;
    desk.end_well(&run[1], retry_at(now_ms())).await?;
    desk.end_well(&run[2], retry_at(now_ms() + HOUR)).await?;
    desk.end_well(&run[3], failed("no")).await?;
    same!(desk.requeue(&run[3].id).await?, Changed::Done, "requeue above the depth");
    desk.reap(&desk.owner).await?;
    desk.count([1, 7, 0, 0, 0]).await?;
    let answers = desk.send_all(vec![numbered(9)]).await?;
    let full = matches!(answers[0], Err(EngineError::Full { limit: 2, .. }));
    holds!(full, "a newcomer above the depth: {answers:?}");
    Ok(())
}

/// Never more run at once than may, in all processes together; who ends one may have the next.
pub(super) async fn concurrency_over_all_processes(trial: &Trial) -> Proof {
    let limits = Limits { concurrency: Some(3), ..Limits::default() };
    let (one, two) = (trial.desk().await?.with(limits), trial.desk().await?.with(limits));
    one.send_new((0..10).map(numbered).collect()).await?;
    let first = one.claim(2).await?;
    let second = two.claim(9).await?;
    same!((first.len(), second.len()), (2, 1), "claimed below a limit of three");
    one.claims_nothing().await?;
    same!(two.claim_and_next(1).await?.1, Next::Wake, "when to ask again, at the limit");
    let want = Want { count: 9, last_chance: false };
    let exchange = two.exchange(vec![outcome(&second[0], finished())], want).await?;
    same!(numbers(&exchange.claimed), [3], "claimed by who ended one");
    one.end_well(&first[0], failed("no")).await?;
    one.end_well(&first[1], retry_at(now_ms() + HOUR)).await?;
    same!(numbers(&two.claim(9).await?), [4, 5], "claimed when two had ended");
    two.end_well(&exchange.claimed[0], End::Released).await?;
    same!(numbers(&one.claim(9).await?), [3], "claimed when one was released");
    one.claims_nothing().await?;
    one.count([1, 4, 3, 1, 1]).await
}

/// What a dead worker had, and what was handed back, runs no more.
pub(super) async fn concurrency_counts_the_dead_out(trial: &Trial) -> Proof {
    let limits = Limits { concurrency: Some(2), ..Limits::default() };
    let (one, two) = (trial.desk().await?.with(limits), trial.desk().await?.with(limits));
    one.send_new((0..6).map(numbered).collect()).await?;
    same!(one.claim(9).await?.len(), 2, "claimed below a limit of two");
    two.claims_nothing().await?;
    two.reap(&one.owner).await?;
    same!(two.claim(9).await?.len(), 2, "claimed after a death");
    two.engine.reconcile(&two.owner, &two.topic, &[]).await?;
    let mut life = one.reborn();
    for _ in 0..2 {
        same!(life.claim_last_chance(9).await?.len().min(1), 1, "claimed after all was handed back");
        two.reap(&life.owner).await?;
        life = life.reborn();
    }
    same!(life.claim(9).await?.len(), 2, "claimed after deaths");
    Ok(())
}

/// Claims one after another until all are claimed, and looks that no more had started than the rate lets through.
async fn within_the_rate(desks: &[&Desk], all: usize, rate: Rate) -> Proof<Vec<usize>> {
    let began = now_ms();
    let mut starts = vec![];
    while starts.len() < all {
        for desk in desks {
            let (claimed, next) = desk.claim_and_next(all).await?;
            starts.extend(numbers(&claimed));
            let most = u64::from(rate.count) + (now_ms() - began + 50) * 1000 / rate.interval_us();
            holds!(starts.len() as u64 <= most, "{} started where at most {most} may have", starts.len());
            if starts.len() < all {
                holds!(matches!(next, Next::At(_)), "the rate holds some back, and the engine says {next:?}");
            }
        }
        pass(5).await;
    }
    Ok(starts)
}

/// After a pause a burst of `count` is let through at once, then one in each interval; the engine says when.
pub(super) async fn rate_lets_a_burst_and_then_drips(trial: &Trial) -> Proof {
    let slow = Rate { count: 4, per_ms: 4 * HOUR };
    let desk = trial.desk().await?.with(Limits { rate: Some(slow), ..Limits::default() });
    desk.send_new((0..10).map(numbered).collect()).await?;
    let before = now_ms();
    let (claimed, next) = desk.claim_and_next(10).await?;
    same!(numbers(&claimed), [0, 1, 2, 3], "the burst");
    let Next::At(at) = next else {
        return Err(format!("the rate is used up, and the engine says {next:?}").into());
    };
    holds!(
        at + 1000 >= before + HOUR && at <= now_ms() + HOUR + 1000,
        "the next start is at {at}, an hour from now"
    );
    desk.claims_nothing().await?;
    // Coming back is no way around it.
    desk.end_well(&claimed[0], End::Released).await?;
    desk.claims_nothing().await?;

    let fast = Rate { count: 5, per_ms: 250 };
    let desk = desk.at("/case/fast")?.with(Limits { rate: Some(fast), ..Limits::default() });
    desk.send_new((0..20).map(numbered).collect()).await?;
    same!(within_the_rate(&[&desk], 20, fast).await?, Vec::from_iter(0..20), "the order under a rate");
    Ok(())
}

/// The rate is one for all processes.
pub(super) async fn rate_is_one_for_all_processes(trial: &Trial) -> Proof {
    let rate = Rate { count: 3, per_ms: 120 };
    let limits = Limits { rate: Some(rate), ..Limits::default() };
    let (one, two) = (trial.desk().await?.with(limits), trial.desk().await?.with(limits));
    one.send_new((0..12).map(numbered).collect()).await?;
    same!(within_the_rate(&[&one, &two], 12, rate).await?, Vec::from_iter(0..12), "the order under a rate");
    Ok(())
}

/// Who may not start a suspected message yet, for the rate, is told when to ask again.
pub(super) async fn rate_tells_when_a_suspect_may_start(trial: &Trial) -> Proof {
    let rate = Some(Rate { count: 2, per_ms: 2 * HOUR });
    let mut desk = trial.desk().await?.with(Limits { rate, ..Limits::default() });
    desk.send(numbered(1)).await?;
    let before = now_ms();
    for _ in 0..2 {
        desk.claim_one().await?;
        desk.reap(&desk.owner).await?;
        desk = desk.reborn();
    }
    let exchange = desk.exchange(vec![], Want { count: 5, last_chance: true }).await?;
    same!(exchange.claimed.len(), 0, "claimed above the rate");
    let Next::At(at) = exchange.next else {
        return Err(format!("the rate is used up, and the engine says {:?}", exchange.next).into());
    };
    holds!(
        at + 1000 >= before + HOUR && at <= now_ms() + HOUR + 1000,
        "the next start is at {at}, an hour from now"
    );
    Ok(())
}
