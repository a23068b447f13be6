//! Messages that wait for their time.

use super::desk::{Trial, numbered, numbered_but, numbers, pass};
use super::failed::{Proof, holds, same};
use crate::engine::Next;
use crate::message::{NewMessage, State, now_ms};

fn at(number: usize, time: u64) -> NewMessage {
    numbered_but(number, |message| message.run_at = Some(time))
}

/// A message is scheduled until its time, and given after it; the engine says when to ask.
pub(super) async fn not_before_its_time(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let time = now_ms() + 400;
    let id = desk.send(at(1, time)).await?;
    let message = other.message(&id).await?;
    if now_ms() < time {
        same!((message.state, message.run_at), (State::Scheduled, Some(time)), "a delayed message");
    }
    loop {
        let (claimed, next) = other.claim_and_next(1).await?;
        if let Some(claimed) = claimed.first() {
            holds!(now_ms() >= time, "a message was given before its time");
            same!(claimed.id, id, "claimed");
            break;
        }
        same!(next, Next::At(time), "when to ask again");
        pass(10).await;
    }
    let message = other.message(&id).await?;
    same!((message.state, message.run_at), (State::Started, None), "a delayed message that runs");
    other.count([0, 0, 1, 0, 0]).await
}

/// A time that has passed when the message comes is now.
pub(super) async fn a_time_that_has_passed_is_now(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(at(1, now_ms() - 1)).await?;
    desk.send(at(2, 0)).await?;
    same!(desk.state(&id).await?, State::Queued, "a message whose time had passed");
    desk.count([0, 2, 0, 0, 0]).await?;
    same!(numbers(&desk.claim(9).await?), [1, 2], "messages whose time had passed");
    Ok(())
}

/// Of several, the earliest time is told; and none while something waits that may be had at once.
pub(super) async fn the_earliest_time_is_told(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let hour = now_ms() + 3_600_000;
    same!(desk.claim_and_next(1).await?.1, Next::Wake, "when to ask again, where nothing waits");
    desk.send(at(1, hour + 2)).await?;
    same!(desk.claim_and_next(1).await?.1, Next::At(hour + 2), "when to ask again");
    desk.send_new(vec![at(2, hour), at(3, hour + 1)]).await?;
    same!(desk.claim_and_next(1).await?.1, Next::At(hour), "when to ask again");
    desk.send_new(vec![numbered(4), numbered(5)]).await?;
    let (claimed, next) = desk.claim_and_next(1).await?;
    same!((numbers(&claimed), next), (vec![4], Next::Now), "while something may be had at once");
    let (claimed, next) = desk.claim_and_next(2).await?;
    same!((numbers(&claimed), next), (vec![5], Next::At(hour)), "when all was had that may be");
    Ok(())
}

/// Among those whose time has come, priority goes first.
pub(super) async fn due_messages_keep_their_priority(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let time = now_ms() + 100;
    let messages = (0..6).map(|number| {
        numbered_but(number, |message| {
            message.run_at = Some(time);
            message.spec.priority = number as u8;
        })
    });
    desk.send_new(messages.collect()).await?;
    while now_ms() <= time {
        pass(10).await;
    }
    same!(numbers(&desk.claim(6).await?), [5, 4, 3, 2, 1, 0], "those whose time has come");
    Ok(())
}
