//! Names of messages, and batches that are told twice.

use std::sync::Arc;

use super::desk::{Trial, args, batch, failed, numbered, numbered_but, numbers};
use super::failed::{Proof, holds, same};
use crate::engine::Changed;
use crate::message::{Accepted, MsgId, NewMessage, State, now_ms, tag};

fn named(number: usize, id: &str) -> NewMessage {
    numbered_but(number, |message| message.id = Some(id.into()))
}

/// A sender's id is one message, however often and from wherever it is sent, in whichever state the message is. The
/// message stays as it was.
pub(super) async fn a_given_id_is_one_message(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let id = MsgId::Given("order-7".into());
    let answers = desk.send_all(vec![named(1, "order-7"), named(2, "order-7"), named(3, "order-8")]).await?;
    let new: Vec<bool> = answers.iter().flatten().map(|accepted| accepted.new).collect();
    same!(new, [true, false, true], "new, of two ids in one batch");
    let again = Accepted { id: id.clone(), new: false };
    let queued = desk.message(&id).await?;
    same!(
        (other.offer(named(4, "order-7")).await?, desk.message(&id).await?),
        (again.clone(), queued),
        "again"
    );
    let run = desk.claim(9).await?;
    same!(numbers(&run), [1, 3], "claimed");
    let started = desk.message(&id).await?;
    same!(
        (other.offer(named(5, "order-7")).await?, desk.message(&id).await?),
        (again.clone(), started),
        "again"
    );
    desk.finish(&run[0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    let finished = desk.message(&id).await?;
    same!((other.offer(named(6, "order-7")).await?, desk.message(&id).await?), (again, finished), "again");
    holds!(!other.offer(named(7, "order-8")).await?.new, "a failed message's id is taken for new");
    desk.claims_nothing().await?;
    desk.count([0, 0, 0, 1, 1]).await
}

/// When its message is gone (deleted, emptied, not kept), the id is free.
pub(super) async fn a_given_id_is_free_after_its_message(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(named(1, "order-7")).await?;
    same!(desk.delete(&id).await?, Changed::Done, "delete");
    desk.send(named(2, "order-7")).await?;
    desk.engine.empty(desk.path(), State::Queued, 10).await?;
    desk.send(numbered_but(3, |message| {
        message.id = Some("order-7".into());
        message.spec.result_ttl_ms = Some(0);
    }))
    .await?;
    let claimed = desk.claim_one().await?;
    same!(claimed.spec.args, args(3), "the third message of the id");
    desk.finish(&claimed).await?;
    desk.send(named(4, "order-7")).await?;
    same!(numbers(&desk.claim(9).await?), [4], "the fourth message of the id");
    Ok(())
}

/// A batch whose answer was lost is repeated, also when others came between: it is answered as at first, and nothing is
/// taken in twice.
pub(super) async fn a_repeated_batch_does_nothing_twice(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let first = (batch(), Arc::new(vec![numbered(1), numbered(2), named(3, "order-7")]));
    let second = (batch(), Arc::new(vec![numbered(4)]));
    let answers = desk.engine.enqueue(&desk.topic, first.0, first.1.clone()).await?;
    let again = desk.engine.enqueue(&desk.topic, first.0, first.1.clone()).await?;
    same!(again, answers, "the answer to a batch that is repeated");
    let answers_2 = desk.engine.enqueue(&desk.topic, second.0, second.1.clone()).await?;
    let again = desk.engine.enqueue(&desk.topic, first.0, first.1).await?;
    same!(again, answers, "the answer to a batch that is repeated after another one");
    let again = desk.engine.enqueue(&desk.topic, second.0, second.1.clone()).await?;
    same!(again, answers_2, "the answer to a batch that is repeated");
    desk.count([0, 4, 0, 0, 0]).await?;

    // Its messages may be under way, or gone, by then.
    for message in desk.claim(9).await? {
        desk.finish(&message).await?;
    }
    same!(desk.engine.enqueue(&desk.topic, second.0, second.1).await?, answers_2, "the answer, later");
    desk.count([0, 0, 0, 4, 0]).await
}

/// A batch number is one process's own: another process's batch of the same number is another batch.
pub(super) async fn processes_number_their_batches_alone(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    for (number, process) in [&desk, &other].into_iter().enumerate() {
        let answers = process.engine.enqueue(&desk.topic, 1, Arc::new(vec![numbered(number)])).await?;
        holds!(
            answers[0].as_ref().is_ok_and(|accepted| accepted.new),
            "a process's first batch: {answers:?}"
        );
    }
    desk.count([0, 2, 0, 0, 0]).await
}

/// The same id in another topic is another message.
pub(super) async fn ids_are_by_topic(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let there = desk.at("/case/other")?;
    let id = desk.send(named(1, "order-7")).await?;
    there.send(named(2, "order-7")).await?;
    same!(there.message(&id).await?.spec.args, args(2), "the other topic's message");
    same!(desk.delete(&id).await?, Changed::Done, "delete");
    same!(there.state(&id).await?, State::Queued, "the other topic's message");
    let ours = there.send(numbered(3)).await?;
    holds!(!desk.has(&ours).await?, "a message is found in another topic");
    Ok(())
}

/// Ids that no message of the topic has: nothing is found, and nothing done.
pub(super) async fn unknown_ids_are_missing(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let ours = desk.send(numbered(1)).await?;
    let MsgId::Ours { tag: of, seq } = ours.clone() else {
        return Err(format!("an id that nobody gave is {ours:?}").into());
    };
    same!(of, tag(desk.path()), "the tag of an id");
    let unknown = [
        MsgId::Ours { tag: of, seq: seq + 1 },
        MsgId::Ours { tag: of, seq: 0 },
        MsgId::Ours { tag: of, seq: (1 << 52) - 1 },
        MsgId::Ours { tag: of ^ 1, seq },
        MsgId::Given("order-7".into()),
        MsgId::Given("x".repeat(128).into()),
        MsgId::Given(format!("{seq}").into()),
    ];
    for path in [desk.path(), "/never/used"] {
        for id in &unknown {
            holds!(desk.engine.get(path, id).await?.is_none(), "{id} is found in {path}");
            same!(desk.engine.cancel(path, id, "no").await?, Changed::Missing, "cancel of {id} in {path}");
            same!(desk.engine.requeue(path, id, None).await?, Changed::Missing, "requeue of {id} in {path}");
            same!(desk.engine.delete(path, id).await?, Changed::Missing, "delete of {id} in {path}");
        }
    }
    same!(desk.state(&ours).await?, State::Queued, "the message that is there");
    desk.count([0, 1, 0, 0, 0]).await
}

/// Every id that may be given finds its message again.
pub(super) async fn all_kinds_of_ids(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let longest = "x".repeat(128);
    let given = [
        "a",
        "7",
        "-",
        "..",
        "a/b",
        "/",
        "a:b",
        "a@b",
        "ORDER",
        "order",
        &longest,
        "1764000000000000",
        "f0:1",
    ];
    for (number, id) in given.iter().enumerate() {
        let hour = now_ms() + 3_600_000;
        let sent = desk
            .send(numbered_but(number, |message| {
                message.id = Some((*id).into());
                message.run_at = (number % 2 == 0).then_some(hour);
            }))
            .await?;
        same!(sent, MsgId::Given((*id).into()), "the id of a message");
    }
    for (number, id) in given.iter().enumerate() {
        let message = desk.message(&MsgId::Given((*id).into())).await?;
        same!((message.spec.args, message.id.to_string()), (args(number), (*id).to_string()), "the message");
    }
    Ok(())
}
