//! Taking messages in.

use std::sync::PoisonError;

use butterfly_model::redis::{Cmd, Reply, Value, cmd, strange};

use super::{Inner, record, scripts};
use crate::message::{Accepted, Hold, MsgId, NewMessage, Second, Unique};
use crate::{EngineError, Topic};

/// The most messages, and about the most bytes, of one script call: longer calls would hold others up.
const MOST: usize = 512;
const MOST_BYTES: usize = 4 << 20;

/// Messages of one call, written.
#[derive(Default)]
struct Part {
    records: Vec<(Vec<u8>, String)>,
    bytes: usize,
}

impl Inner {
    /// Takes in messages; one that is too many for the topic alone is refused alone.
    pub(super) async fn enqueue(
        &self,
        topic: &Topic,
        batch: u64,
        messages: &[NewMessage],
    ) -> Result<Vec<Result<Accepted, EngineError>>, EngineError> {
        if self.listed(&topic.path).is_none() {
            self.list_topic(&topic.path, 0).await?;
        }
        let mut answers = Vec::with_capacity(messages.len());
        let mut part = Part::default();
        let mut parts = 0;
        for message in messages {
            let record = record::of_new(message, topic.limits.keyed);
            part.bytes += record.len();
            part.records.push((record, how(message)));
            if part.records.len() >= MOST || part.bytes >= MOST_BYTES {
                self.send_part(topic, &name(batch, parts), &part, messages, &mut answers).await?;
                part = Part::default();
                parts += 1;
            }
        }
        if !part.records.is_empty() {
            self.send_part(topic, &name(batch, parts), &part, messages, &mut answers).await?;
        }
        self.note_move();
        Ok(answers)
    }

    async fn send_part(
        &self,
        topic: &Topic,
        name: &str,
        part: &Part,
        messages: &[NewMessage],
        answers: &mut Vec<Result<Accepted, EngineError>>,
    ) -> Result<(), EngineError> {
        let depth = topic.limits.depth.map(|depth| depth.to_string()).unwrap_or_default();
        let fill = |command: &mut Cmd| {
            command.arg(&self.client).arg(name).arg(&depth);
            for (record, how) in &part.records {
                command.arg(record).arg(how);
            }
        };
        let mut answer = self.run(&scripts::ENQUEUE, &topic.path, fill).await;
        if let Err(EngineError::Unavailable(_)) = answer {
            // The number of the batch lets it be sent twice: mostly the connection was an old one.
            answer = self.run(&scripts::ENQUEUE, &topic.path, fill).await;
        }
        let mut reply = Reply::new(answer?)?;
        let base = reply.number()?;
        let lines = reply.text()?;
        if self.listed(&topic.path) != Some(base) {
            // It is the first message, or the server's data was lost, and its list of topics with it.
            self.list_topic(&topic.path, base).await?;
        }
        self.keep_base(&topic.path, base);
        let expected = answers.len() + part.records.len();
        for line in lines.lines() {
            self.read_line(line, topic, base, messages, answers)?;
        }
        if answers.len() == expected { Ok(()) } else { Err(strange(&Value::Nil).into()) }
    }

    fn read_line(
        &self,
        line: &str,
        topic: &Topic,
        base: u64,
        messages: &[NewMessage],
        answers: &mut Vec<Result<Accepted, EngineError>>,
    ) -> Result<(), EngineError> {
        let odd = || strange(&Value::SimpleString(line.into()));
        let (kind, rest) = line.split_at_checked(1).ok_or_else(odd)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| odd());
        let ours = |n: u64| MsgId::Ours { tag: topic.tag, seq: base + n };
        match kind {
            "+" => {
                let (first, count) = rest.split_once('*').ok_or_else(odd)?;
                let first = number(first)?;
                for n in first..first + number(count)? {
                    let given = messages.get(answers.len()).and_then(|message| message.id.clone());
                    answers.push(Ok(Accepted { id: given.map_or_else(|| ours(n), MsgId::Given), new: true }));
                }
            }
            "=" => answers.push(Ok(Accepted { id: ours(number(rest)?), new: false })),
            "@" => answers.push(Ok(Accepted { id: MsgId::Given(rest.into()), new: false })),
            "!" => {
                let limit = topic.limits.depth.unwrap_or_default();
                answers.push(Err(EngineError::Full { depth: number(rest)?, limit }));
            }
            _ => return Err(odd().into()),
        }
        Ok(())
    }

    /// From where the topic's numbers counted when it was put on the list of topics.
    fn listed(&self, topic: &str) -> Option<u64> {
        self.listed.read().unwrap_or_else(PoisonError::into_inner).get(topic).copied()
    }

    async fn list_topic(&self, topic: &str, base: u64) -> Result<(), EngineError> {
        self.link.command(cmd("SADD").arg(self.topics_key()).arg(topic)).await?;
        self.listed.write().unwrap_or_else(PoisonError::into_inner).insert(topic.into(), base);
        Ok(())
    }
}

/// What names a part of a batch.
fn name(batch: u64, part: usize) -> String {
    if part == 0 { batch.to_string() } else { format!("{batch}.{part}") }
}

/// How a message is to wait: the script reads it.
fn how(message: &NewMessage) -> String {
    if message.run_at.is_none() && message.unique.is_none() {
        return String::new();
    }
    let run_at = message.run_at.map(|at| at.to_string()).unwrap_or_default();
    let Some(Unique { key, hold, second }) = &message.unique else { return format!("{run_at}|||") };
    let hold = match hold {
        Hold::WhileAlive => "a".to_owned(),
        Hold::For(ms) => ms.to_string(),
    };
    let second = match second {
        Second::Dropped => 'd',
        Second::Replaces => 'r',
    };
    format!("{run_at}|{hold}|{second}|{key}")
}
