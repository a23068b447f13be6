//! What people and waiters ask: looking at messages, and changing them by hand.

use std::sync::Arc;

use butterfly_model::redis::{Cmd, Reply, Value, cmd, number, strange, text};

use super::record::{self, Phase, Record, Run};
use super::{Inner, scripts};
use crate::EngineError;
use crate::engine::{Changed, Counts, Edited, WorkerInfo};
use crate::message::{Message, MsgId, NewMessage, State, tag};

/// How often a requeue is tried anew where somebody else changes the message meanwhile.
const TRIES: usize = 8;
/// The most messages of one script call.
const PAGE: u64 = 500;

/// What a script told of a message.
struct Told {
    n: u64,
    bytes: Vec<u8>,
    state: State,
    run_at: Option<u64>,
    worker: Option<String>,
    running: Option<String>,
    deaths: Option<u64>,
    defect: Option<String>,
}

impl Told {
    fn read(reply: &mut Reply) -> Result<Self, EngineError> {
        let n = reply.number()?;
        let bytes = reply.bytes()?;
        let state = reply.text()?;
        Ok(Self {
            n,
            bytes,
            state: State::of(&state).ok_or_else(|| strange(&Value::SimpleString(state)))?,
            run_at: reply.optional_number()?,
            worker: reply.optional()?,
            running: reply.optional()?,
            deaths: reply.optional_number()?,
            defect: reply.optional()?,
        })
    }

    fn message(self, topic: &str, base: u64) -> Message {
        let seq = base + self.n;
        let Record { id, spec, mut run, .. } = record::read(&self.bytes).unwrap_or_else(|bad| Record {
            phase: Phase::Failed,
            id: None,
            laned: false,
            spec: record::blank(),
            run: Run { error: Some(bad.to_string()), ..Run::default() },
        });
        let (started, progress) = self.running.as_deref().and_then(|text| text.split_once(' ')).unzip();
        if self.defect.is_some() {
            run.error = self.defect;
        }
        Message {
            topic: topic.into(),
            seq,
            id: id.map_or(MsgId::Ours { tag: tag(topic), seq }, MsgId::Given),
            state: self.state,
            spec,
            run_at: self.run_at,
            // While it runs, its record tells of an earlier run.
            started: match self.state {
                State::Started => started.and_then(|started| started.parse().ok()),
                _ => run.started,
            },
            ended: run.ended,
            attempts: run.attempts,
            deaths: self.deaths.map_or(run.deaths, |deaths| deaths as u32),
            worker: self.worker.or(run.worker),
            cost_us: run.cost_us,
            stat: run.stat,
            result: run.result,
            error: run.error,
            progress: progress.filter(|text| !text.is_empty()).map(str::to_owned).or(run.progress),
        }
    }
}

/// A message's id, as scripts read it; nothing where the topic can have none of this id.
fn name(topic: &str, id: &MsgId) -> Option<String> {
    match id {
        MsgId::Ours { tag: of, seq } => (*of == tag(topic)).then(|| seq.to_string()),
        MsgId::Given(text) => Some(format!("@{text}")),
    }
}

fn changed(word: &str) -> Result<Changed, EngineError> {
    Ok(match word {
        "done" => Changed::Done,
        "told" => Changed::Told,
        "missing" => Changed::Missing,
        word => Changed::NotIn(State::of(word).ok_or_else(|| strange(&Value::SimpleString(word.into())))?),
    })
}

impl Inner {
    pub(super) async fn list_topics(&self) -> Result<Vec<Arc<str>>, EngineError> {
        let answer = self.link.command(cmd("SMEMBERS").arg(self.topics_key())).await?;
        let mut reply = Reply::new(answer)?;
        let mut topics = Vec::with_capacity(reply.len());
        while !reply.is_empty() {
            topics.push(reply.text()?.into());
        }
        topics.sort();
        Ok(topics)
    }

    pub(super) async fn counts(&self, topic: &str) -> Result<Counts, EngineError> {
        let mut reply = Reply::new(self.run(&scripts::COUNTS, topic, |_| {}).await?)?;
        Ok(Counts {
            scheduled: reply.number()?,
            queued: reply.number()?,
            started: reply.number()?,
            finished: reply.number()?,
            failed: reply.number()?,
            paused: reply.number()? == 1,
            oldest: reply.optional_number()?,
        })
    }

    pub(super) async fn list(
        &self,
        topic: &str,
        state: State,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Message>, EngineError> {
        let mut messages = Vec::new();
        let mut at = offset;
        let end = offset.saturating_add(limit);
        while at < end {
            let want = PAGE.min(end - at);
            let fill = |command: &mut Cmd| {
                command.arg(state.as_str()).arg(at).arg(want);
            };
            let mut reply = Reply::new(self.run(&scripts::LIST, topic, fill).await?)?;
            let base = reply.number()?;
            let before = messages.len();
            while !reply.is_empty() {
                messages.push(Told::read(&mut reply)?.message(topic, base));
            }
            if ((messages.len() - before) as u64) < want {
                break;
            }
            at += want;
        }
        Ok(messages)
    }

    async fn look(&self, topic: &str, id: &MsgId) -> Result<Option<(u64, Told)>, EngineError> {
        let Some(name) = name(topic, id) else { return Ok(None) };
        let fill = |command: &mut Cmd| {
            command.arg(&name);
        };
        let mut reply = Reply::new(self.run(&scripts::GET, topic, fill).await?)?;
        let base = reply.number()?;
        if reply.is_empty() { Ok(None) } else { Ok(Some((base, Told::read(&mut reply)?))) }
    }

    pub(super) async fn get(&self, topic: &str, id: &MsgId) -> Result<Option<Message>, EngineError> {
        Ok(self.look(topic, id).await?.map(|(base, told)| told.message(topic, base)))
    }

    pub(super) async fn cancel(&self, topic: &str, id: &MsgId, error: &str) -> Result<Changed, EngineError> {
        let Some(name) = name(topic, id) else { return Ok(Changed::Missing) };
        let fill = |command: &mut Cmd| {
            command.arg(&name).arg(error);
        };
        changed(&text(self.run(&scripts::CANCEL, topic, fill).await?)?)
    }

    pub(super) async fn delete(&self, topic: &str, id: &MsgId) -> Result<Changed, EngineError> {
        let Some(name) = name(topic, id) else { return Ok(Changed::Missing) };
        let fill = |command: &mut Cmd| {
            command.arg(&name);
        };
        changed(&text(self.run(&scripts::DELETE, topic, fill).await?)?)
    }

    pub(super) async fn requeue(
        &self,
        topic: &str,
        id: &MsgId,
        edited: Option<Edited<'_>>,
    ) -> Result<Changed, EngineError> {
        for _ in 0..TRIES {
            let Some((_, told)) = self.look(topic, id).await? else { return Ok(Changed::Missing) };
            if !matches!(told.state, State::Finished | State::Failed) {
                return Ok(Changed::NotIn(told.state));
            }
            let record = record::read(&told.bytes).map_err(|bad| EngineError::Foreign(bad.to_string()))?;
            let new = anew(record, edited);
            let fill = |command: &mut Cmd| {
                command.arg(told.n).arg(&told.bytes).arg(&new);
            };
            if number(&self.run(&scripts::REQUEUE, topic, fill).await?)? == 1 {
                return Ok(Changed::Done);
            }
        }
        Err(EngineError::Unavailable("the message is being changed by others: try again".into()))
    }

    pub(super) async fn empty(&self, topic: &str, state: State, limit: u64) -> Result<u64, EngineError> {
        let fill = |command: &mut Cmd| {
            command.arg(state.as_str()).arg(limit.min(PAGE));
        };
        let mut removed = 0;
        while removed < limit {
            let now = number(&self.run(&scripts::EMPTY, topic, fill).await?)?;
            removed += now;
            if now == 0 {
                break;
            }
        }
        Ok(removed)
    }

    pub(super) async fn set_paused(&self, topic: &str, paused: bool) -> Result<(), EngineError> {
        let fill = |command: &mut Cmd| {
            command.arg(u8::from(paused));
        };
        self.run(&scripts::PAUSE, topic, fill).await.map(drop)
    }

    pub(super) async fn put_worker(&self, worker: &WorkerInfo, ttl_ms: u64) -> Result<(), EngineError> {
        let text =
            serde_json::to_string(worker).map_err(|error| EngineError::Misconfigured(error.to_string()))?;
        let fill = |command: &mut Cmd| {
            command.arg("put").arg(&worker.name).arg(ttl_ms).arg(&text);
        };
        self.link.run(&scripts::WORKERS, &self.workers_key(), fill).await?;
        Ok(())
    }

    pub(super) async fn remove_worker(&self, name: &str) -> Result<(), EngineError> {
        let fill = |command: &mut Cmd| {
            command.arg("remove").arg(name);
        };
        self.link.run(&scripts::WORKERS, &self.workers_key(), fill).await?;
        Ok(())
    }

    pub(super) async fn workers(&self) -> Result<Vec<WorkerInfo>, EngineError> {
        let fill = |command: &mut Cmd| {
            command.arg("all");
        };
        let mut reply = Reply::new(self.link.run(&scripts::WORKERS, &self.workers_key(), fill).await?)?;
        let mut workers: Vec<WorkerInfo> = Vec::with_capacity(reply.len());
        while !reply.is_empty() {
            // A worker of a newer program may say of itself what this one cannot read: it is left out.
            workers.extend(serde_json::from_str(&reply.text()?).ok());
        }
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workers)
    }
}

/// The record of an ended message that is to run again, as if it had never run.
fn anew(record: Record, edited: Option<Edited<'_>>) -> Vec<u8> {
    let keyed = record.laned;
    let mut spec = record.spec;
    if let Some(Edited { args, key }) = edited {
        args.clone_into(&mut spec.args);
        spec.key = key.map(str::to_owned);
    }
    let message = NewMessage { id: record.id, ..NewMessage::from(spec) };
    record::of_requeued(&message, keyed)
}
