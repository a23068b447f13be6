//! Pages of messages, the topics, the oldest.

use super::desk::{Desk, Trial, failed, finished, number, numbered, numbered_but, outcome, pass};
use super::failed::{Proof, holds, same};
use crate::message::{Message, State, now_ms};

/// All of a state's messages by pages of this size. What lies beyond the end is empty.
async fn pages(desk: &Desk, state: State, limit: u64) -> Proof<Vec<Message>> {
    let mut all: Vec<Message> = vec![];
    loop {
        let page = desk.engine.list(desk.path(), state, all.len() as u64, limit).await?;
        if page.is_empty() {
            break;
        }
        holds!(page.len() as u64 <= limit, "a page of {} where {limit} were asked for", page.len());
        all.extend(page);
    }
    holds!(all.iter().all(|message| message.state == state), "others are listed as {state}");
    let beyond = desk.engine.list(desk.path(), state, all.len() as u64 + 1000, limit).await?;
    same!(beyond.len(), 0, "messages beyond the end of {state}");
    same!(desk.counts().await?.of(state), all.len() as u64, "the count of {state}, and its pages");
    Ok(all)
}

fn numbers(messages: &[Message]) -> Vec<usize> {
    messages.iter().map(|message| number(&message.spec)).collect()
}

/// What is queued is listed in the order in which it will be given, and each as `get` gives it.
pub(super) async fn pages_of_what_waits(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let messages = (0..30).map(|number| {
        numbered_but(number, |message| {
            message.spec.priority = (number % 3) as u8;
            message.id = (number % 2 == 0).then(|| format!("order-{number}").into());
        })
    });
    desk.send_new(messages.collect()).await?;
    let dying = desk.reborn();
    dying.claim(2).await?;
    desk.reap(&dying.owner).await?;
    let gone = desk.engine.list(desk.path(), State::Queued, 7, 1).await?;
    same!(gone.len(), 1, "messages on a page of one");
    desk.delete(&gone[0].id).await?;
    let listed = pages(&desk, State::Queued, 7).await?;
    same!(pages(&desk, State::Queued, 1).await?, listed, "pages of one, and pages of seven");
    same!(pages(&desk, State::Queued, 1000).await?, listed, "one page, and pages of seven");
    for message in &listed {
        same!(desk.message(&message.id).await?, *message, "a message that is listed");
    }
    let mut given = vec![];
    for _ in 0..listed.len() {
        given.extend(super::desk::numbers(&desk.claim(1).await?));
    }
    same!(numbers(&listed), given, "the order of the list, and the order of claims");
    same!(pages(&desk, State::Queued, 7).await?, [], "listed when nothing waits");
    Ok(())
}

/// What is scheduled is listed by its time.
pub(super) async fn pages_of_what_is_scheduled(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let hour = now_ms() + 3_600_000;
    let at = |number: usize| hour + (number as u64 * 7) % 20;
    let messages = (0..20).map(|number| numbered_but(number, |message| message.run_at = Some(at(number))));
    desk.send_new(messages.collect()).await?;
    let listed = pages(&desk, State::Scheduled, 6).await?;
    let mut must: Vec<usize> = (0..20).collect();
    must.sort_by_key(|number| at(*number));
    same!(numbers(&listed), must, "scheduled messages");
    holds!(
        listed.iter().all(|message| message.run_at == Some(at(number(&message.spec)))),
        "times: {listed:?}"
    );
    Ok(())
}

/// What runs is listed, in any order, for all processes.
pub(super) async fn pages_of_what_runs(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.send_new((0..12).map(numbered).collect()).await?;
    desk.claim(5).await?;
    other.claim(5).await?;
    let listed = pages(&desk, State::Started, 3).await?;
    let mut running = numbers(&listed);
    running.sort_unstable();
    same!(running, Vec::from_iter(0..10), "running messages");
    let of = |desk: &Desk| {
        let worker = Some(desk.owner.worker.to_string());
        listed.iter().filter(|message| message.worker == worker).count()
    };
    same!((of(&desk), of(&other)), (5, 5), "running messages by worker");
    Ok(())
}

/// What has ended is listed, last first; those of one exchange in any order among themselves.
pub(super) async fn pages_of_what_ended(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    desk.send_new((0..16).map(numbered).collect()).await?;
    let run = desk.claim(16).await?;
    // Not the order in which they were sent, and no two within a millisecond.
    let order = |step: usize| (step * 3) % 8;
    for step in 0..8 {
        desk.end_well(&run[order(step)], finished()).await?;
        desk.end_well(&run[8 + order(step)], failed("no")).await?;
        pass(2).await;
    }
    let must: Vec<usize> = (0..8).rev().map(order).collect();
    same!(numbers(&pages(&desk, State::Finished, 3).await?), must, "finished messages, last first");
    let must: Vec<usize> = must.iter().map(|number| 8 + number).collect();
    same!(numbers(&pages(&desk, State::Failed, 3).await?), must, "failed messages, last first");

    desk.send_new((16..40).map(numbered).collect()).await?;
    let ends = desk.claim(24).await?.iter().map(|message| outcome(message, finished())).collect();
    desk.exchange(ends, Default::default()).await?;
    let listed = numbers(&pages(&desk, State::Finished, 5).await?);
    let mut newest = listed[..24].to_vec();
    newest.sort_unstable();
    same!(newest, Vec::from_iter(16..40), "those of the last exchange");
    same!(listed[24..], (0..8).rev().map(order).collect::<Vec<_>>(), "those before it");
    Ok(())
}

/// The topics that ever had a message, sorted, for every process; also when nothing of them is left.
pub(super) async fn topics_are_sorted(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let topics = async || -> Proof<Vec<String>> {
        Ok(other.engine.topics().await?.iter().map(ToString::to_string).collect())
    };
    same!(topics().await?, [""; 0], "topics of a new place");
    for path in ["/m", "/z/z", "/a", "/m/n", "/B"] {
        desk.at(path)?.send(numbered(1)).await?;
    }
    // Who only looks makes no topic.
    other.engine.counts("/looked/at").await?;
    other.at("/asked/for")?.claims_nothing().await?;
    let must = ["/B", "/a", "/m", "/m/n", "/z/z"];
    same!(topics().await?, must, "topics");
    desk.engine.empty("/a", State::Queued, 10).await?;
    same!(topics().await?, must, "topics, when one of them is empty");
    Ok(())
}

/// Of what is queued, it is told when the oldest was handed in.
pub(super) async fn the_oldest_is_told(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let now = now_ms();
    same!(desk.counts().await?.oldest, None, "the oldest of none");
    for (number, (age, priority)) in [(5000, 9), (9000, 1), (4000, 9), (3000, 1)].into_iter().enumerate() {
        desk.send(numbered_but(number, |message| {
            message.spec.created = now - age;
            message.spec.priority = priority;
        }))
        .await?;
    }
    for oldest in [9000, 9000, 9000, 3000] {
        same!(desk.counts().await?.oldest, Some(now - oldest), "the oldest that is queued");
        desk.claim_one().await?;
    }
    same!(desk.counts().await?.oldest, None, "the oldest when all run");
    Ok(())
}
