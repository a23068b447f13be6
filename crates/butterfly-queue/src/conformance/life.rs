//! The states of a message, and all that is kept of it.

use super::desk::{Trial, args, failed, finished, numbered, numbered_but, outcome, retry_at};
use super::failed::{Proof, holds, same};
use crate::engine::{Changed, Held};
use crate::message::{End, MsgId, NewMessage, Spec, State, now_ms};

/// Queued, started, finished: with its worker, times, cost, stat and result.
pub(super) async fn a_message_lives_and_finishes(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    desk.count([0, 0, 0, 0, 0]).await?;
    let id = desk.send(numbered(1)).await?;
    let queued = other.message(&id).await?;
    same!((queued.state, queued.id.clone()), (State::Queued, id.clone()), "a new message");
    same!((queued.started, queued.ended, queued.run_at), (None, None, None), "times of a new message");
    same!((queued.attempts, queued.deaths, &*queued.topic), (0, 0, desk.path()), "a new message");
    same!((queued.stat, queued.result, queued.error), (None, None, None), "answers of a new message");

    let claimed = desk.claim_one().await?;
    same!((claimed.seq, &claimed.id), (queued.seq, &id), "what was claimed");
    same!((claimed.attempts, claimed.deaths), (0, 0), "runs before the first");
    let started = other.message(&id).await?;
    same!(started.state, State::Started, "state of a claimed message");
    same!(started.worker.as_deref(), Some(&*desk.owner.worker), "worker of a claimed message");
    desk.claims_nothing().await?;

    let before = now_ms();
    let run = outcome(&claimed, finished());
    let exchange = desk.exchange(vec![run.clone()], Default::default()).await?;
    same!(exchange.settled, [crate::engine::Settled::Done], "an end");
    let ended = other.message(&id).await?;
    same!(ended.state, State::Finished, "state of a message that was answered");
    same!(ended.stat.as_deref(), Some("OK"), "its stat");
    same!(ended.result.as_deref(), Some("{\"stat\":\"OK\"}"), "its result");
    same!((ended.started, ended.cost_us), (Some(run.started), 1500), "when its run began, and its cost");
    same!(ended.worker.as_deref(), Some(&*desk.owner.worker), "its worker");
    let when = ended.ended.unwrap_or(0);
    // Engines may keep time by another clock than the case: a second's difference is none.
    holds!(when + 1000 >= before && when <= now_ms() + 1000, "it ended at {when}, between {before} and now");
    desk.claims_nothing().await
}

/// Failed: with the error and what else is known of the run; no stat, no result.
pub(super) async fn a_message_fails(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let id = desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    desk.end_well(&claimed, failed("it went wrong:\n  line 2")).await?;
    let message = desk.message(&id).await?;
    same!(message.state, State::Failed, "state of a message that failed");
    same!(message.error.as_deref(), Some("it went wrong:\n  line 2"), "its error");
    same!((message.stat, message.result), (None, None), "its stat and result");
    same!(message.cost_us, 1500, "its cost");
    holds!(message.ended.is_some() && message.started.is_some(), "its times are not kept");
    desk.claims_nothing().await
}

/// The engine does not judge stats: who says finished, finishes.
pub(super) async fn any_stat_may_finish(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    for stat in ["ERR_SERVER_EXCEPTION", "ERR_EMPTY", "奇怪", ""] {
        let id = desk.send(numbered(1)).await?;
        let claimed = desk.claim_one().await?;
        desk.end_well(&claimed, End::Finished { stat: stat.into(), result: "null".into() }).await?;
        let message = desk.message(&id).await?;
        same!((message.state, message.stat.as_deref()), (State::Finished, Some(stat)), "a stat");
    }
    desk.count([0, 0, 0, 4, 0]).await
}

/// The counts are exact after every step, for every process.
pub(super) async fn counts_follow_every_arrow(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let hour = now_ms() + 3_600_000;
    let first = desk.send_new((0..5).map(numbered).collect()).await?;
    other.count([0, 5, 0, 0, 0]).await?;
    let later = desk.send(numbered_but(5, |message| message.run_at = Some(hour))).await?;
    other.count([1, 5, 0, 0, 0]).await?;
    let run = desk.claim(4).await?;
    other.count([1, 1, 4, 0, 0]).await?;
    desk.finish(&run[0]).await?;
    other.count([1, 1, 3, 1, 0]).await?;
    desk.end_well(&run[1], failed("no")).await?;
    other.count([1, 1, 2, 1, 1]).await?;
    desk.end_well(&run[2], retry_at(hour)).await?;
    other.count([2, 1, 1, 1, 1]).await?;
    desk.end_well(&run[3], End::Released).await?;
    other.count([2, 2, 0, 1, 1]).await?;
    same!(desk.cancel(&later).await?, Changed::Done, "cancel of a scheduled one");
    other.count([1, 2, 0, 1, 2]).await?;
    same!(desk.cancel(&first[4]).await?, Changed::Done, "cancel of a queued one");
    other.count([1, 1, 0, 1, 3]).await?;
    same!(desk.requeue(&first[0]).await?, Changed::Done, "requeue of a finished one");
    other.count([1, 2, 0, 0, 3]).await?;
    same!(desk.requeue(&first[1]).await?, Changed::Done, "requeue of a failed one");
    other.count([1, 3, 0, 0, 2]).await?;
    same!(desk.delete(&first[2]).await?, Changed::Done, "delete of a scheduled one");
    other.count([0, 3, 0, 0, 2]).await?;
    same!(desk.delete(&first[3]).await?, Changed::Done, "delete of a queued one");
    other.count([0, 2, 0, 0, 2]).await?;
    same!(desk.delete(&later).await?, Changed::Done, "delete of a failed one");
    other.count([0, 2, 0, 0, 1]).await?;
    let run = desk.claim(9).await?;
    other.count([0, 0, 2, 0, 1]).await?;
    other.reap(&desk.owner).await?;
    other.count([0, 2, 0, 0, 1]).await?;
    let run_again = other.claim(9).await?;
    same!(run_again.len(), run.len(), "messages of the dead one");
    other.count([0, 0, 2, 0, 1]).await?;
    same!(other.engine.reconcile(&other.owner, &other.topic, &[]).await?, 2, "handed back");
    desk.count([0, 2, 0, 0, 1]).await?;
    same!(desk.engine.empty(desk.path(), State::Queued, 10).await?, 2, "emptied");
    other.count([0, 0, 0, 0, 1]).await
}

/// A message of which the sender says all that can be said.
fn of_many_words() -> NewMessage {
    NewMessage {
        spec: Spec {
            args: "{\"名\": \"值 \\\"quoted\\\" 'single' \\u0000\", \"n\": [1, 2.5, null]}".into(),
            priority: 7,
            created: now_ms() - 1234,
            timeout_ms: 0,
            retries: 25,
            ttl_ms: Some(7_200_000),
            result_ttl_ms: None,
            failure_ttl_ms: Some(86_400_000_000),
            key: Some("account 7 / 账户".into()),
            parent: Some("order-6@shop/x".into()),
            user: Some("zoë <zoe@example.org>".into()),
            ip: Some(std::net::Ipv6Addr::LOCALHOST.into()),
            description: Some("line 1\nline 2\t'; drop table message; --".into()),
            notify: Some("host-7:8585".into()),
            ..Spec::new("")
        },
        id: Some("order-7:a@b/c.d_e".into()),
        run_at: None,
        unique: None,
    }
}

/// Everything that the sender says is there as it was said: for the worker and for who looks, to the end.
pub(super) async fn what_the_sender_said_is_kept(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let bare = NewMessage::from(Spec {
        ttl_ms: Some(1_000_000),
        result_ttl_ms: Some(500_000),
        failure_ttl_ms: None,
        ip: Some(std::net::Ipv4Addr::new(192, 0, 2, 7).into()),
        ..Spec::new("{}")
    });
    for message in [of_many_words(), bare] {
        let id = desk.send(message.clone()).await?;
        same!(desk.message(&id).await?.spec, message.spec, "what the sender said, while it is queued");
        let claimed = desk.claim_one().await?;
        same!(claimed.spec, message.spec, "what the sender said, for the worker");
        same!(desk.message(&id).await?.spec, message.spec, "what the sender said, while it is started");
        desk.finish(&claimed).await?;
        same!(desk.message(&id).await?.spec, message.spec, "what the sender said, when it has finished");
        let listed = desk.engine.list(desk.path(), State::Finished, 0, 1).await?;
        same!(listed[0].spec, message.spec, "what the sender said, in a list");
    }
    Ok(())
}

/// While it runs, others see since when and how far: what its worker tells with its beat.
pub(super) async fn a_run_is_seen_from_outside(trial: &Trial) -> Proof {
    let (desk, other) = (trial.desk().await?, trial.desk().await?);
    let id = desk.send(numbered(1)).await?;
    let claimed = desk.claim_one().await?;
    let began = now_ms() - 5000;
    for progress in ["{\"done\": 1}", "\"二\""] {
        let held = Held { seq: claimed.seq, started: began, progress: Some(progress.into()) };
        let renewed = desk.engine.renew(&desk.owner, &[(desk.topic.clone(), vec![held])]).await?;
        holds!(renewed[0].held, "the owner is said to have lost its lease");
        let message = other.message(&id).await?;
        same!((message.state, message.started), (State::Started, Some(began)), "a run that lasts");
        same!(message.progress.as_deref(), Some(progress), "its progress");
    }
    // What is not its own it does not change.
    let held = Held { seq: claimed.seq, started: 1, progress: Some("0".into()) };
    other.engine.renew(&other.owner, &[(desk.topic.clone(), vec![held])]).await?;
    same!(desk.message(&id).await?.started, Some(began), "a run, after another owner told of it");
    Ok(())
}

/// Whatever stands in a text is kept as it is, and does nothing else.
pub(super) async fn hostile_texts_are_only_texts(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let texts = [
        "'; drop table message; --",
        "a\"b\\c",
        "{a}%s$1\u{7f}",
        "线\u{1F98B}\u{202e}",
        "\r\n\r\n*1\r\n",
        "a\0b",
    ];
    for text in texts {
        let id = desk
            .send(numbered_but(1, |message| {
                message.spec.description = Some(text.into());
                message.spec.key = Some(text.into());
                message.spec.user = Some(text.into());
            }))
            .await?;
        let claimed = desk.claim_one().await?;
        same!(claimed.spec.description.as_deref(), Some(text), "a description");
        desk.end_well(&claimed, failed(text)).await?;
        let message = desk.message(&id).await?;
        same!(message.error.as_deref(), Some(text), "an error");
        same!(message.spec.user.as_deref(), Some(text), "a user");
        same!(desk.requeue(&id).await?, Changed::Done, "requeue");
        same!(desk.engine.cancel(desk.path(), &id, text).await?, Changed::Done, "cancel");
        same!(desk.message(&id).await?.error.as_deref(), Some(text), "the error of a cancel");
    }
    desk.count([0, 0, 0, 0, texts.len() as u64]).await
}

/// Every topic that can be one is one of its own, with braces, dots and stars too.
pub(super) async fn topics_with_braces_are_topics(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let paths = [
        "/a{b}",
        "/users/{id}/{*rest}",
        "/a.b-c_d",
        "/a",
        "/a/",
        "/{",
        "/}",
        &format!("/{}", "x".repeat(199)),
    ];
    for (number, path) in paths.iter().enumerate() {
        desk.at(path)?.send(numbered(number)).await?;
    }
    for (number, path) in paths.iter().enumerate() {
        let desk = desk.at(path)?;
        desk.count([0, 1, 0, 0, 0]).await?;
        let claimed = desk.claim_one().await?;
        same!(claimed.spec.args, args(number), "the message of the topic {path}");
        desk.finish(&claimed).await?;
        same!(&*desk.message(&claimed.id).await?.topic, *path, "its topic");
    }
    same!(desk.engine.topics().await?.len(), paths.len(), "topics");
    Ok(())
}

/// Arguments and results of a mebibyte pass whole; so does a batch of many large ones.
pub(super) async fn large_messages_pass(trial: &Trial) -> Proof {
    let desk = trial.desk().await?;
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat((1 << 20) - 11));
    let id = desk.send(Spec::new(large.clone()).into()).await?;
    let claimed = desk.claim_one().await?;
    holds!(claimed.spec.args == large, "large arguments are not what they were");
    desk.end_well(&claimed, End::Finished { stat: "OK".into(), result: large.clone() }).await?;
    let message = desk.message(&id).await?;
    holds!(message.result.as_deref() == Some(&large), "a large result is not what it was");

    let ids: Vec<MsgId> = desk.send_new(vec![Spec::new(large.clone()).into(); 8]).await?;
    let claimed = desk.claim(8).await?;
    same!(claimed.iter().map(|message| message.id.clone()).collect::<Vec<_>>(), ids, "large messages");
    holds!(
        claimed.iter().all(|message| message.spec.args == large),
        "large arguments are not what they were"
    );
    Ok(())
}
