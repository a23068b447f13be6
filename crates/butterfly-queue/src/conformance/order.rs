//! By priority, then first in, first out.

use super::desk::{Trial, numbered, numbered_but, numbers};
use super::failed::{Proof, holds, same};
use crate::message::{End, PRIORITY_MAX, now_ms};

/// Messages of one priority are given in the order in which they were taken in, from one batch or from many.
pub(super) async fn first_in_first_out(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    desk.send_new((0..60).map(numbered).collect()).await?;
    for number in 60..70 {
        desk.send(numbered(number)).await?;
    }
    let mut given = vec![];
    for _ in 0..10 {
        given.extend(numbers(&desk.claim(7).await?));
    }
    same!(given, Vec::from_iter(0..70), "the order of one priority");
    desk.claims_nothing().await
}

/// Higher priorities go first, whatever came in before; within a priority the order holds.
pub(super) async fn higher_priority_first(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let priority_of = |number: usize| ((number * 7) % (usize::from(PRIORITY_MAX) + 1)) as u8;
    let with_priority = |number| numbered_but(number, |message| message.spec.priority = priority_of(number));
    desk.send_new((0..40).map(with_priority).collect()).await?;
    let mut must: Vec<usize> = (0..40).collect();
    must.sort_by_key(|number| (PRIORITY_MAX - priority_of(*number), *number));
    let mut given = vec![];
    for _ in 0..8 {
        given.extend(numbers(&desk.claim(5).await?));
    }
    same!(given, must, "the order of ten priorities");
    Ok(())
}

/// What different processes send stands in one line, and different processes are served from it.
pub(super) async fn one_order_for_all_processes(trial: &Trial) -> Proof {
    let (one, other) = (trial.desk().await?, trial.desk().await?);
    for number in 0..10 {
        let sender = if number % 2 == 0 { &one } else { &other };
        sender.send(numbered(number)).await?;
    }
    let mut given = vec![];
    for number in 0..10 {
        let worker = if number % 3 == 0 { &one } else { &other };
        given.extend(numbers(&worker.claim(1).await?));
    }
    same!(given, Vec::from_iter(0..10), "the order of two processes' messages");
    Ok(())
}

/// A message that was released, or whose worker died, goes before all others, those of higher priority too.
pub(super) async fn returned_go_before_all(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send_new((0..6).map(numbered).collect()).await?;
    let released = desk.claim_one().await?;
    other.claim_one().await?;
    desk.send(numbered_but(6, |message| message.spec.priority = PRIORITY_MAX)).await?;

    desk.end_well(&released, End::Released).await?;
    same!(numbers(&desk.claim(1).await?), [0], "next after a release");
    desk.reap(&other.owner).await?;
    same!(numbers(&desk.claim(1).await?), [1], "next after a worker's death");
    same!(numbers(&desk.claim(10).await?), [6, 2, 3, 4, 5], "the others");
    Ok(())
}

/// Numbers grow, and a topic's first one is the microseconds of now: so that numbers do not come again when an engine's
/// data was lost. They fit 53 bits.
pub(super) async fn numbers_grow(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    desk.send_new((0..20).map(numbered).collect()).await?;
    let first = desk.claim(20).await?;
    let now_us = now_ms() * 1000;
    let seq = first[0].seq;
    holds!(seq.abs_diff(now_us) < 600_000_000, "the first number is {seq}, and now is {now_us} µs");
    desk.send_new((20..40).map(numbered).collect()).await?;
    let seqs: Vec<u64> = first.into_iter().chain(desk.claim(20).await?).map(|message| message.seq).collect();
    same!(seqs.len(), 40, "messages");
    holds!(seqs.is_sorted_by(|one, next| one < next), "numbers do not grow: {seqs:?}");
    holds!(seqs.iter().all(|seq| *seq < 1 << 53), "a number does not fit 53 bits: {seqs:?}");
    Ok(())
}
