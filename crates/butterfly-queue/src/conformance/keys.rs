//! Topics whose messages carry a key: turns, and limits for each.

use super::desk::{Desk, Trial, args, failed, finished, number, numbered_but, numbers, outcome};
use super::failed::{Proof, holds, same};
use crate::engine::{Changed, Edited, Next, Want};
use crate::message::{Claimed, End, NewMessage, now_ms};
use crate::topic::{Limits, Rate};

const KEYED: Limits =
    Limits { depth: None, concurrency: None, rate: None, keyed: true, key_concurrency: None, key_rate: None };

fn of_key(number: usize, key: &str) -> NewMessage {
    numbered_but(number, |message| message.spec.key = Some(key.into()))
}

/// How many of these carry the key.
fn count(claimed: &[Claimed], key: &str) -> usize {
    claimed.iter().filter(|message| message.spec.key.as_deref() == Some(key)).count()
}

async fn send_keys(desk: &Desk, keys: &[(&str, usize)]) -> Proof {
    for (key, count) in keys {
        desk.send_new((0..*count).map(|number| of_key(number, key)).collect()).await?;
    }
    Ok(())
}

/// Keys take turns: a thousand messages of one do not keep those of others waiting. A message without a key stands under
/// a key of its own.
pub(super) async fn keys_take_turns(trial: &Trial) -> Proof {
    let desk = trial.desk().await?.with(KEYED);
    send_keys(&desk, &[("busy", 1000), ("quiet", 5), ("{'线'}", 5)]).await?;
    desk.send_new((0..5).map(super::desk::numbered).collect()).await?;
    let mut given = vec![];
    for _ in 0..6 {
        given.extend(desk.claim(4).await?);
    }
    let without = given.iter().filter(|message| message.spec.key.is_none()).count();
    let others = [count(&given, "quiet"), count(&given, "{'线'}"), without];
    same!(others, [5, 5, 5], "given of the others among the first 24");
    // One that comes late does not wait for all that were there before.
    send_keys(&desk, &[("late", 1)]).await?;
    same!(count(&desk.claim(3).await?, "late"), 1, "given of one that came late, among three");
    let rest = desk.claim(1000).await?;
    same!(count(&rest, "busy") + count(&given, "busy") + 2, 1000, "given of the busy one");
    desk.claims_nothing().await
}

/// Within a key the order holds, by priority and then as they came; what is cancelled or deleted is passed over.
pub(super) async fn order_within_a_key(trial: &Trial) -> Proof {
    let desk = trial.desk().await?.with(KEYED);
    let messages = (0..20).map(|number| {
        numbered_but(number, |message| {
            message.spec.key = Some(["a", "b"][number % 2].into());
            message.spec.priority = if number >= 16 { 8 } else { 4 };
        })
    });
    let ids = desk.send_new(messages.collect()).await?;
    desk.cancel(&ids[2]).await?;
    desk.delete(&ids[5]).await?;
    let mut given: [Vec<usize>; 2] = [vec![], vec![]];
    for _ in 0..18 {
        let claimed = desk.claim_one().await?;
        let number = number(&claimed.spec);
        given[number % 2].push(number);
    }
    same!(given[0], [16, 18, 0, 4, 6, 8, 10, 12, 14], "the order of one key");
    same!(given[1], [17, 19, 1, 3, 7, 9, 11, 13, 15], "the order of the other");
    desk.claims_nothing().await
}

/// Never more of one key run at once than may, in all processes together; other keys go on meanwhile.
pub(super) async fn key_concurrency_over_all_processes(trial: &Trial) -> Proof {
    let limits = Limits { key_concurrency: Some(1), ..KEYED };
    let (one, two) = (trial.desk().await?.with(limits), trial.desk().await?.with(limits));
    send_keys(&one, &[("a", 5), ("b", 5), ("c", 5)]).await?;
    let first = one.claim(2).await?;
    let second = two.claim(9).await?;
    let all: Vec<Claimed> = first.iter().chain(&second).cloned().collect();
    let each = ["a", "b", "c"].map(|key| count(&all, key));
    same!(each, [1, 1, 1], "claimed of each key, where one of each may run");
    holds!(numbers(&all).iter().all(|number| *number == 0), "claimed out of order: {:?}", numbers(&all));
    one.claims_nothing().await?;

    // Who ends one may have the next of the same key, in the same step.
    let want = Want { count: 9, last_chance: false };
    let key = first[0].spec.key.clone();
    let exchange = one.exchange(vec![outcome(&first[0], finished())], want).await?;
    same!(exchange.claimed.len(), 1, "claimed by who ended one");
    same!(
        (&exchange.claimed[0].spec.key, &exchange.claimed[0].spec.args),
        (&key, &args(1)),
        "the next of its key"
    );
    one.end_well(&exchange.claimed[0], End::Released).await?;
    let again = two.claim(9).await?;
    same!((again.len(), again[0].seq), (1, exchange.claimed[0].seq), "claimed when one was released");
    two.end_well(&again[0], super::desk::retry_at(now_ms() + 3_600_000)).await?;
    same!(numbers(&two.claim(9).await?), [2], "claimed when one is to be tried again");
    one.count([1, 10, 3, 1, 0]).await
}

/// What a dead worker had, and what was handed back, runs no more.
pub(super) async fn key_concurrency_counts_the_dead_out(trial: &Trial) -> Proof {
    let limits = Limits { key_concurrency: Some(1), ..KEYED };
    let (one, two) = (trial.desk().await?.with(limits), trial.desk().await?.with(limits));
    send_keys(&one, &[("a", 3), ("b", 3)]).await?;
    same!(one.claim(9).await?.len(), 2, "claimed where one of each key may run");
    two.claims_nothing().await?;
    two.reap(&one.owner).await?;
    let after = two.claim(9).await?;
    same!((count(&after, "a"), count(&after, "b")), (1, 1), "claimed of each key after a death");
    same!(numbers(&after), [0, 0], "claimed after a death");
    same!(two.engine.reconcile(&two.owner, &two.topic, &[]).await?, 2, "handed back");
    let after = one.reborn().claim(9).await?;
    same!((count(&after, "a"), count(&after, "b")), (1, 1), "claimed of each key after all was handed back");
    Ok(())
}

/// A message that is queued again with other arguments stands under their key, and no more under the one before.
pub(super) async fn a_message_may_change_its_key(trial: &Trial) -> Proof {
    let limits = Limits { key_concurrency: Some(1), ..KEYED };
    let desk = trial.desk().await?.with(limits);
    let id = desk.send(of_key(1, "a")).await?;
    let run = desk.claim_one().await?;
    desk.end_well(&run, failed("no")).await?;
    send_keys(&desk, &[("b", 1)]).await?;
    let of_b = desk.claim_one().await?;
    let edited = Edited { args: "{\"n\":7}", key: Some("b") };
    same!(desk.engine.requeue(desk.path(), &id, Some(edited)).await?, Changed::Done, "requeue");
    send_keys(&desk, &[("a", 1)]).await?;
    let of_a = desk.claim(9).await?;
    same!((of_a.len(), count(&of_a, "a")), (1, 1), "claimed while one of the new key runs");
    desk.end_well(&of_b, finished()).await?;
    let again = desk.claim_one().await?;
    same!((&again.id, again.spec.key.as_deref(), number(&again.spec)), (&id, Some("b"), 7), "claimed then");
    desk.claims_nothing().await
}

/// Each key has the rate for itself.
pub(super) async fn key_rate_is_for_each(trial: &Trial) -> Proof {
    const HOUR: u64 = 3_600_000;
    let limits = Limits { key_rate: Some(Rate { count: 2, per_ms: 2 * HOUR }), ..KEYED };
    let (one, two) = (trial.desk().await?.with(limits), trial.desk().await?.with(limits));
    send_keys(&one, &[("a", 10), ("b", 10)]).await?;
    let before = now_ms();
    let (mut claimed, _) = one.claim_and_next(3).await?;
    let (more, next) = two.claim_and_next(20).await?;
    claimed.extend(more);
    same!((count(&claimed, "a"), count(&claimed, "b"), claimed.len()), (2, 2, 4), "claimed of each key");
    let Next::At(at) = next else {
        return Err(format!("rates are used up, and the engine says {next:?}").into());
    };
    holds!(
        at + 1000 >= before + HOUR && at <= now_ms() + HOUR + 1000,
        "the next start is at {at}, an hour from now"
    );
    one.claims_nothing().await?;
    send_keys(&one, &[("c", 3)]).await?;
    same!(count(&two.claim(9).await?, "c"), 2, "claimed of a key that is new");
    Ok(())
}
