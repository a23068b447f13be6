//! Sending: `queue enqueue`, and `call --queue`, which waits for the answer.

use std::time::SystemTime;

use butterfly_core::args::Input;
use butterfly_core::{Handler, Reply, Stat};
use butterfly_queue::{Enqueue, Message, State};
use serde_json::{Value, json};

use super::{Sending, document};
use crate::Butterfly;
use crate::command::desk::{self, Desk, Done, Failure};
use crate::command::given::{Given, find};
use crate::command::shown::pretty;
use crate::config::Loaded;
use crate::say::say;

/// `call --queue`.
pub(in crate::command) fn call(
    program: Butterfly,
    loaded: &Loaded,
    path: &str,
    words: &[String],
    json: bool,
) -> Done {
    let sending = Sending {
        topic: path.to_owned(),
        words: words.to_vec(),
        delay: None,
        at: None,
        priority: None,
        unique: None,
        id: None,
        wait: true,
    };
    desk::at(program, loaded, (json, false), async |mut desk| {
        let message = sent(&mut desk, sending).await?.1;
        answer(&desk, message.as_ref(), false)
    })
}

pub(super) async fn enqueue(desk: &mut Desk<'_>, sending: Sending) -> Done {
    let wait = sending.wait;
    let (receipt, message) = sent(desk, sending).await?;
    if wait {
        return answer(desk, message.as_ref(), true);
    }
    if desk.json {
        let reqid = desk.ctx.reqid();
        say!("{}", json!({ "msg_id": receipt.id.to_string(), "new": receipt.new, "reqid": reqid.as_str() }));
    } else {
        say!("{}", receipt.id);
        if !receipt.new {
            eprintln!("note: a message was there already under this id or key; nothing was added");
        }
    }
    Ok(())
}

/// Sends the message, and waits for its end if so told.
async fn sent(
    desk: &mut Desk<'_>,
    sending: Sending,
) -> Result<(butterfly_queue::Receipt, Option<Message>), Failure> {
    let (topic, args, handler) = checked(desk, &sending)?;
    let mut enqueue = desk.queue.send_text(&topic, args).from(&desk.ctx);
    enqueue = said(enqueue, &sending);
    if sending.wait {
        enqueue = enqueue.awaited();
    }
    let receipt = enqueue.await?;
    let queue = desk.queue.clone();
    if let Some(handler) = handler {
        let taken = Ok(Reply::json(Stat::OK, Vec::new()));
        desk::write(&desk.logs, &mut desk.ctx, handler, &taken);
    }
    if !sending.wait {
        return Ok((receipt, None));
    }
    if !desk.json {
        eprintln!("{} {} waits for a worker; Ctrl-C leaves it in the queue", desk.ctx.reqid(), receipt.id);
    }
    let served = queue.workers().await?.iter().any(|worker| worker.topics.contains(&topic));
    if !served {
        eprintln!("note: no worker serves {topic} now; `serve` starts one");
    }
    let message = queue.ended(&topic, &receipt.id).await?;
    Ok((receipt, Some(message)))
}

/// Topic and arguments as the handler takes them; of a topic that no handler here has, as they are.
fn checked(
    desk: &Desk<'_>,
    sending: &Sending,
) -> Result<(String, String, Option<&'static Handler>), Failure> {
    if let Some((handler, captures)) = find(&desk.ctx.app().registry, &sending.topic) {
        let given = Given::read(handler, &sending.words).map_err(Failure::Usage)?;
        let input = Input { captures: &captures, payload: given.payload(), ..Input::default() };
        return Ok((handler.path.to_owned(), input.to_json(handler, &desk.ctx)?, Some(handler)));
    }
    let path = &sending.topic;
    if !desk.config.queue.allow_unknown {
        let advice = "`routes` lists them, and queue.allow_unknown lets messages for others pass";
        return Err(Failure::Usage(format!("no handler has the path {path}; {advice}")));
    }
    match sending.words.as_slice() {
        [] => Ok((path.clone(), "{}".into(), None)),
        [document] if document.trim_start().starts_with('{') => Ok((path.clone(), document.clone(), None)),
        _ => Err(Failure::Usage(format!(
            "no handler here has the path {path}: give its arguments as one JSON object"
        ))),
    }
}

fn said<'c>(mut enqueue: Enqueue<'c, Value>, sending: &Sending) -> Enqueue<'c, Value> {
    if let Some(delay) = sending.delay {
        enqueue = enqueue.delay(delay.as_duration());
    }
    if let Some(at) = sending.at {
        enqueue = enqueue.at(at);
    }
    if let Some(priority) = sending.priority {
        enqueue = enqueue.priority(priority);
    }
    if let Some(key) = &sending.unique {
        enqueue = enqueue.unique(key);
    }
    if let Some(id) = &sending.id {
        enqueue = enqueue.id(id);
    }
    enqueue
}

/// Prints what became of a message that was waited for: its answer alone, or all of it for programs.
fn answer(desk: &Desk<'_>, message: Option<&Message>, whole: bool) -> Done {
    let Some(message) = message else { return Ok(()) };
    match &message.result {
        _ if whole && desk.json => say!("{:#}", document::message(message)),
        Some(result) if desk.json => say!("{result}"),
        Some(result) => say!("{}", pretty(result)),
        None if desk.json => say!("{}", json!({ "stat": Stat::ERR_SERVER_EXCEPTION.as_str() })),
        None => {}
    }
    let stat = message.stat.as_deref().unwrap_or_default();
    match message.state {
        State::Finished if stat == Stat::OK.as_str() => Ok(()),
        State::Finished => Err(Failure::Not(format!("{} answered {stat}", message.topic))),
        _ => {
            let why = message.error.as_deref().unwrap_or("without a reason");
            Err(Failure::Not(format!("{} failed: {}", message.id, pretty(why))))
        }
    }
}

/// A time with its zone, or a local one without.
///
/// # Errors
///
/// What a time looks like.
pub(super) fn moment(text: &str) -> Result<SystemTime, String> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let local = || {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp())
    };
    let time =
        zoned.or_else(local).ok_or("a time such as 2026-11-25T18:00:00 or 2026-11-25T18:00:00+08:00")?;
    Ok(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_zone_or_are_local() {
        let utc = moment("2026-11-25T18:00:00Z").unwrap();
        assert_eq!(moment("2026-11-25T20:00:00+02:00").unwrap(), utc);
        assert!(moment("2026-11-25 18:00:00").is_ok());
        assert!(moment("tomorrow").is_err());
    }
}
