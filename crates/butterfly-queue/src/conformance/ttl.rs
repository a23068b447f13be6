//! How long messages may wait, and how long they are kept.

use super::desk::{Desk, Trial, failed, finished, numbered, numbered_but, numbers, outcome, pass, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::{Changed, Want};
use crate::message::{End, Millis, MsgId, NewMessage, State, now_ms};

const HOUR: u64 = 3_600_000;

/// One that was to be taken within five seconds, ten seconds ago.
fn too_late(number: usize) -> NewMessage {
    numbered_but(number, |message| {
        message.spec.created = now_ms() - 10_000;
        message.spec.ttl_ms = Some(5000);
    })
}

/// A message that nobody took within its ttl is failed with a reason when its turn comes, or when the topic is swept. The
/// others are given as if it had not been there.
pub(super) async fn what_waits_too_long_fails(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let in_time = numbered_but(3, |message| message.spec.ttl_ms = Some(HOUR));
    let ids = desk.send_new(vec![too_late(1), numbered(2), too_late(5), in_time, too_late(4)]).await?;
    same!(numbers(&desk.claim(9).await?), [2, 3], "claimed");
    for id in [&ids[0], &ids[2], &ids[4]] {
        let message = desk.message(id).await?;
        same!(message.state, State::Failed, "a message that nobody took in time");
        holds!(message.error.is_some_and(|error| !error.is_empty()), "it is not said why it failed");
        holds!(message.ended.is_some() && message.started.is_none(), "its times");
    }
    desk.count([0, 0, 2, 0, 3]).await?;

    let id = desk.send(too_late(6)).await?;
    same!(desk.sweep().await?, 1, "swept");
    same!(desk.state(&id).await?, State::Failed, "a message that nobody took in time");
    desk.count([0, 0, 2, 0, 4]).await
}

/// The ttl is for the first run: a message that is to be tried again, or whose worker died, does not expire.
pub(super) async fn a_retry_does_not_expire(trial: &Trial) -> Proof {
    const TTL: u64 = 2500;
    let desk = trial.desk().await?;
    let created = now_ms();
    let soon = |number| {
        numbered_but(number, |message| {
            message.spec.created = created;
            message.spec.ttl_ms = Some(TTL);
        })
    };
    desk.send_new(vec![soon(1), soon(2)]).await?;
    let retried = desk.claim_one().await?;
    let dying = desk.reborn();
    dying.claim_one().await?;
    desk.end_well(&retried, retry_at(now_ms())).await?;
    desk.reap(&dying.owner).await?;
    while now_ms() <= created + TTL + 50 {
        pass(50).await;
    }
    same!(desk.sweep().await?, 0, "swept");
    let mut claimed = numbers(&desk.claim(9).await?);
    claimed.sort_unstable();
    same!(claimed, [1, 2], "claimed again, after the ttl");
    Ok(())
}

/// Somebody who queues a message again wants it to run: its ttl begins anew.
pub(super) async fn a_requeued_one_waits_anew(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let ids = desk.send_new(vec![too_late(1), too_late(2)]).await?;
    desk.sweep().await?;
    desk.count([0, 0, 0, 0, 2]).await?;
    for id in &ids {
        same!(desk.requeue(id).await?, Changed::Done, "requeue");
    }
    same!(desk.sweep().await?, 0, "swept");
    same!(numbers(&desk.claim(9).await?), [1, 2], "claimed");
    Ok(())
}

/// Sweeps until the message is gone, which must not be before its time: it had not ended before `since`.
async fn gone_in_time(desk: &Desk, id: &MsgId, since: Millis, kept: u64) -> Proof {
    while desk.has(id).await? {
        desk.sweep().await?;
        pass(10).await;
    }
    // Clocks of engine and case may differ by a little.
    holds!(now_ms() + 50 >= since + kept, "it was kept for {} ms of {kept}", now_ms() - since);
    Ok(())
}

/// Results are kept as long as their senders say, and then dropped whole, however many.
pub(super) async fn results_are_dropped_in_time(trial: &Trial) -> Proof {
    const MANY: usize = 2500;
    let desk = trial.desk().await?;
    let short = |number: usize, ttl: u64| {
        numbered_but(number, |message| {
            message.id = Some(format!("order-{number}").into());
            message.spec.result_ttl_ms = Some(ttl);
        })
    };
    let id = desk.send(short(0, 300)).await?;
    let claimed = desk.claim_one().await?;
    let since = now_ms();
    desk.finish(&claimed).await?;
    gone_in_time(&desk, &id, since, 300).await?;
    desk.count([0, 0, 0, 0, 0]).await?;
    desk.send(short(0, HOUR)).await?;
    let claimed = desk.claim_one().await?;
    desk.finish(&claimed).await?;

    desk.send_new((1..=MANY).map(|number| short(number, 1)).collect()).await?;
    let mut ends = vec![];
    loop {
        let exchange =
            desk.exchange(std::mem::take(&mut ends), Want { count: 500, last_chance: false }).await?;
        if exchange.claimed.is_empty() {
            break;
        }
        ends = exchange.claimed.iter().map(|message| outcome(message, finished())).collect();
    }
    pass(20).await;
    desk.sweep().await?;
    desk.count([0, 0, 0, 1, 0]).await?;
    same!(desk.engine.list(desk.path(), State::Finished, 0, 10).await?.len(), 1, "listed");
    Ok(())
}

/// A result of no time is not kept at all: the message is gone when it has finished. When it fails, it is kept as a
/// failure is.
pub(super) async fn results_of_no_time_are_not_kept(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let unkept = |number| numbered_but(number, |message| message.spec.result_ttl_ms = Some(0));
    let ids = desk.send_new((0..3).map(unkept).collect()).await?;
    let run = desk.claim(3).await?;
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    holds!(!desk.has(&ids[0]).await?, "a result of no time is kept");
    same!(desk.state(&ids[1]).await?, State::Failed, "a failure");
    desk.count([0, 0, 1, 0, 1]).await?;
    same!(desk.engine.list(desk.path(), State::Finished, 0, 10).await?.len(), 0, "listed");
    // Whether the end that is told again counts is open, but it does nothing.
    desk.end(&run[0], finished()).await?;
    desk.end(&run[0], End::Released).await?;
    desk.count([0, 0, 1, 0, 1]).await
}

/// Failures are kept as long as their senders say.
pub(super) async fn failures_are_dropped_in_time(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let short = |number| numbered_but(number, |message| message.spec.failure_ttl_ms = Some(300));
    let ids = desk.send_new(vec![short(0), short(1), numbered(2)]).await?;
    let since = now_ms();
    same!(desk.cancel(&ids[1]).await?, Changed::Done, "cancel");
    for message in desk.claim(2).await? {
        desk.end_well(&message, failed("no")).await?;
    }
    gone_in_time(&desk, &ids[0], since, 300).await?;
    gone_in_time(&desk, &ids[1], since, 300).await?;
    desk.count([0, 0, 0, 0, 1]).await?;
    same!(desk.state(&ids[2]).await?, State::Failed, "a failure that is kept for a year");
    Ok(())
}

/// A sweep leaves alone what is kept for ever or for long, what waits, and what runs, however old it is; also what was
/// queued again after it had ended.
pub(super) async fn what_is_kept_is_not_swept(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let old = |number, ttl: Option<u64>| {
        numbered_but(number, |message| {
            message.spec.created = now_ms() - 10 * HOUR;
            message.spec.result_ttl_ms = ttl;
            message.spec.failure_ttl_ms = ttl;
        })
    };
    let short = Some(1);
    let messages = vec![
        old(0, None),
        old(1, None),
        old(2, Some(HOUR)),
        old(3, Some(HOUR)),
        old(4, short),
        old(5, short),
    ];
    let ids = desk.send_new(messages).await?;
    let run = desk.claim(5).await?;
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    desk.finish(&run[2]).await?;
    desk.end_well(&run[3], failed("no")).await?;
    desk.send(numbered_but(6, |message| message.run_at = Some(now_ms() + HOUR))).await?;
    pass(10).await;
    same!(desk.sweep().await?, 0, "swept");
    desk.count([1, 1, 1, 2, 2]).await?;

    same!(desk.cancel(&ids[5]).await?, Changed::Done, "cancel");
    if desk.requeue(&ids[5]).await? == Changed::Done {
        pass(10).await;
        same!(desk.sweep().await?, 0, "swept");
        same!(desk.state(&ids[5]).await?, State::Queued, "one that was queued again before it was swept");
    }
    Ok(())
}
