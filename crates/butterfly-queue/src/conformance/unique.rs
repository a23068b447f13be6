//! One message at a time under a key.

use super::desk::{Trial, args, failed, numbered_but, pass};
use super::failed::{Proof, holds, same};
use crate::engine::Changed;
use crate::message::{Accepted, End, Hold, NewMessage, Second, State, Unique, now_ms};

const HOUR: u64 = 3_600_000;

fn unique(number: usize, key: &str, hold: Hold, second: Second) -> NewMessage {
    numbered_but(number, |message| message.unique = Some(Unique { key: key.into(), hold, second }))
}

fn alive(number: usize) -> NewMessage {
    unique(number, "key", Hold::WhileAlive, Second::Dropped)
}

/// While the first one is scheduled, queued, started or to be tried again, a second one is dropped, from whichever process
/// it comes, and its sender is given the first one's id.
pub(super) async fn unique_while_alive(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let answers = desk.send_all(vec![alive(1), alive(2)]).await?;
    let answers: Vec<Accepted> = answers.into_iter().flatten().collect();
    let id = answers[0].id.clone();
    let dropped = Accepted { id: id.clone(), new: false };
    same!(answers, [Accepted { id: id.clone(), new: true }, dropped.clone()], "two under a key in one batch");
    same!(other.offer(alive(3)).await?, dropped, "a second one while the first is queued");
    let claimed = desk.claim_one().await?;
    same!(other.offer(alive(4)).await?, dropped, "a second one while the first is started");
    desk.end_well(&claimed, End::Retry { at: now_ms() + HOUR, error: "no".into(), counts: true }).await?;
    same!(other.offer(alive(5)).await?, dropped, "a second one while the first is to be tried again");
    same!(desk.message(&id).await?.spec.args, args(1), "the first one");
    desk.count([1, 0, 0, 0, 0]).await?;

    let under_an_id = NewMessage { id: Some("order-7".into()), ..alive(6) };
    same!(other.offer(under_an_id).await?, dropped, "a second one that has an id");
    holds!(!other.has(&crate::MsgId::Given("order-7".into())).await?, "a message that was dropped is there");
    Ok(())
}

/// The key is free as soon as its message finished, failed, was cancelled, deleted or emptied, or died out.
pub(super) async fn unique_is_free_after_every_end(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    for end in [super::desk::finished(), failed("no")] {
        desk.send(alive(1)).await?;
        let claimed = desk.claim_one().await?;
        desk.end_well(&claimed, end).await?;
    }
    let id = desk.send(alive(2)).await?;
    same!(desk.cancel(&id).await?, Changed::Done, "cancel");
    let id = desk.send(alive(3)).await?;
    same!(desk.delete(&id).await?, Changed::Done, "delete");
    desk.send(NewMessage { run_at: Some(now_ms() + HOUR), ..alive(4) }).await?;
    same!(desk.engine.empty(desk.path(), State::Scheduled, 9).await?, 1, "emptied");

    let id = desk.send(alive(5)).await?;
    let mut life = trial.desk().await?;
    for _ in 0..3 {
        life.claim_last_chance(1).await?;
        desk.reap(&life.owner).await?;
        life = life.reborn();
    }
    same!(desk.state(&id).await?, State::Failed, "a message whose workers died");
    desk.send(alive(6)).await?;

    // An ended one that is removed does not take the key from the next.
    same!(desk.delete(&id).await?, Changed::Done, "delete of the one that failed");
    holds!(!desk.offer(alive(7)).await?.new, "a key is free while its message waits");
    Ok(())
}

/// A key may be taken for a time: whatever becomes of the message, not before, and not much longer.
pub(super) async fn unique_for_a_time(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let for_an_hour = |number| unique(number, "long", Hold::For(HOUR), Second::Dropped);
    let first = desk.send(for_an_hour(1)).await?;
    let dropped = Accepted { id: first.clone(), new: false };
    let claimed = desk.claim_one().await?;
    desk.finish(&claimed).await?;
    same!(desk.offer(for_an_hour(2)).await?, dropped, "a second one after the first has finished");
    same!(desk.delete(&first).await?, Changed::Done, "delete");
    same!(desk.offer(for_an_hour(3)).await?, dropped, "a second one after the first was deleted");

    let began = now_ms();
    let short = |number| unique(number, "short", Hold::For(200), Second::Dropped);
    let first = desk.send(short(4)).await?;
    let claimed = desk.claim_one().await?;
    same!(claimed.id, first, "claimed");
    loop {
        let second = desk.offer(short(5)).await?;
        if second.new {
            // Clocks of engine and case may differ by a little.
            holds!(now_ms() + 50 >= began + 200, "the key was free after {} ms of 200", now_ms() - began);
            break;
        }
        same!(second.id, first, "the id that the sender of a second one is given");
        pass(10).await;
    }
    desk.count([0, 1, 1, 0, 0]).await
}

/// While the first one is scheduled, a second one may replace what it says and when it runs: only the last one runs, once.
pub(super) async fn unique_debounces(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let later = |number: usize, at: u64| NewMessage {
        run_at: Some(at),
        ..unique(number, "key", Hold::WhileAlive, Second::Replaces)
    };
    let hour = now_ms() + HOUR;
    let id = desk.send(later(1, hour)).await?;
    for number in 2..5 {
        let replaces = Accepted { id: id.clone(), new: false };
        same!(other.offer(later(number, hour + number as u64)).await?, replaces, "one that replaces");
        let message = desk.message(&id).await?;
        same!(
            (message.spec.args, message.run_at, message.state),
            (args(number), Some(hour + number as u64), State::Scheduled),
            "what was replaced"
        );
        desk.count([1, 0, 0, 0, 0]).await?;
    }
    desk.claims_nothing().await?;

    // One that has no time of its own, or whose time has come, lets it run now.
    let now = unique(5, "key", Hold::WhileAlive, Second::Replaces);
    same!(other.offer(now).await?, Accepted { id: id.clone(), new: false }, "one that replaces, to run now");
    desk.count([0, 1, 0, 0, 0]).await?;
    let claimed = desk.claim_one().await?;
    same!((claimed.id.clone(), claimed.spec.args.clone()), (id, args(5)), "what runs in the end");
    desk.finish(&claimed).await?;
    desk.claims_nothing().await
}

/// What is queued, started or ended is not replaced: a second one is dropped, or is new when the key is free.
pub(super) async fn unique_replaces_only_what_is_scheduled(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let replaces = |number| NewMessage {
        run_at: Some(now_ms() + HOUR),
        ..unique(number, "key", Hold::WhileAlive, Second::Replaces)
    };
    let id = desk.send(unique(1, "key", Hold::WhileAlive, Second::Dropped)).await?;
    let dropped = Accepted { id: id.clone(), new: false };
    same!(desk.offer(replaces(2)).await?, dropped, "one that would replace a queued one");
    let claimed = desk.claim_one().await?;
    same!(claimed.spec.args, args(1), "the first one");
    same!(desk.offer(replaces(3)).await?, dropped, "one that would replace a started one");
    desk.finish(&claimed).await?;
    same!(desk.message(&id).await?.spec.args, args(1), "the first one");
    desk.send(replaces(4)).await?;
    desk.count([1, 0, 0, 1, 0]).await
}

/// A key is any text, and a topic's own; keys that differ at all are different.
pub(super) async fn unique_keys_are_texts_by_topic(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let there = desk.at("/case/other")?;
    let longest = "é".repeat(256);
    let keys = ["", " ", "a", "A", "'; --", "线", "{a}", "a\0b", "a\nb", "*", &longest, &longest[2..]];
    for (number, key) in keys.iter().enumerate() {
        for desk in [&desk, &there] {
            desk.send(unique(number, key, Hold::WhileAlive, Second::Dropped)).await?;
        }
    }
    for (number, key) in keys.iter().enumerate() {
        let second = desk.offer(unique(100, key, Hold::WhileAlive, Second::Dropped)).await?;
        holds!(!second.new, "the key {key:?} is free while its message waits");
        same!(desk.message(&second.id).await?.spec.args, args(number), "the message under a key");
    }
    let all = keys.len() as u64;
    desk.count([0, all, 0, 0, 0]).await?;
    there.count([0, all, 0, 0, 0]).await
}
