//! Runs one message after another, each by the one path by which every door calls a handler.

use std::sync::Arc;
use std::time::{Duration, Instant};

use butterfly_core::access_log::{Access, Seconds};
use butterfly_core::args::{Input, Payload};
use butterfly_core::{Ctx, Door, Error, Fault, Result, Stat, call};

use super::Shared;
use super::batch;
use super::ready::{Ended, Messages, Work};
use super::run::{Run, Stop};
use super::verdict::{Verdict, kept};
use crate::catalog::Entry;
use crate::message::{Claimed, End, Outcome};

pub(super) struct Runner {
    shared: Arc<Shared>,
    run: Arc<Run>,
    ctx: Ctx,
    pid: String,
    /// The log's line, written anew for each run.
    line: Vec<u8>,
}

/// How a call came to its end.
enum Came {
    Answered(Result<(Stat, String)>),
    Stopped(Stop),
}

impl Runner {
    pub(super) fn new(shared: Arc<Shared>, run: Arc<Run>) -> Self {
        let mut ctx = Ctx::within(shared.app.clone(), Door::Queue);
        ctx.set_local(Some(run.clone()));
        Self { shared, run, ctx, pid: std::process::id().to_string(), line: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        while let Some(work) = self.shared.clone().ready.next().await {
            self.one(work).await;
        }
    }

    async fn one(&mut self, work: Work) {
        let shared = self.shared.clone();
        let Some(entry) = shared.queue.entries().get(work.lane) else { return };
        self.enter(&work);
        let args = args(entry, &work.messages);
        let args =
            args.as_deref().unwrap_or_else(|| first(&work.messages).map_or("{}", |one| &one.spec.args));
        let limit = shared.queue.settings().max_args;
        let came = self.call(entry, args, limit).await;
        self.run.end();
        let cost = self.ctx.started().elapsed();
        match came {
            Came::Answered(result) => {
                let verdict = Verdict::of(result);
                self.write(entry, &verdict.stat, &verdict.reason, cost);
                self.end(work, cost, |message| verdict.end(entry.backoff, message));
            }
            Came::Stopped(why) => {
                let reason = said(why);
                self.write(entry, "-", reason, cost);
                self.end(work, cost, |_| match why {
                    Stop::Cancelled => End::Failed { error: reason.into() },
                    Stop::Lost | Stop::Ending => End::Released,
                });
            }
        }
    }

    /// Makes the context that of the message's call.
    fn enter(&mut self, work: &Work) {
        self.ctx.restart();
        let Some(message) = first(&work.messages) else { return };
        let spec = &message.spec;
        self.ctx.set_reqid(spec.reqid);
        self.ctx.set_ip(spec.ip);
        self.ctx.set_username(spec.user.clone());
        let limit = Some(spec.timeout_ms).filter(|ms| *ms > 0).map(Duration::from_millis);
        self.ctx.set_deadline(limit.and_then(|limit| self.ctx.started().checked_add(limit)));
        if self.shared.log.is_some() {
            self.ctx.note(format!("msg={}", message.id));
            // The line tells seconds; with the time at which the message was sent, this tells when its run began.
            self.ctx.note(format!("age={}ms", self.ctx.unix_ms().saturating_sub(spec.created)));
            let tries = message.tries();
            if tries > 0 {
                self.ctx.note(format!("attempt={}", tries + 1));
            }
            if let Some(parent) = &spec.parent {
                self.ctx.note(format!("parent={parent}"));
            }
            if let Messages::Many(many) = &work.messages {
                self.ctx.note(format!("batch={}", many.len()));
            }
        }
        self.run.begin(work, self.ctx.unix_ms());
    }

    async fn call(&self, entry: &Entry, args: &str, limit: usize) -> Came {
        let input = Input { payload: Payload::Args(args.as_bytes()), ..Input::default() };
        let answer = async {
            let reply = call(entry.handler, &self.ctx, input).await?;
            kept(reply, limit).await
        };
        tokio::select! {
            biased;
            result = answer => Came::Answered(result),
            why = self.run.stopped() => Came::Stopped(why),
            error = overdue(self.ctx.deadline(), self.ctx.started()) => Came::Answered(Err(error)),
        }
    }

    fn end(&self, work: Work, cost: Duration, end: impl Fn(&Claimed) -> End) {
        let (lane, epoch, started) = (work.lane, work.epoch, self.ctx.unix_ms());
        let cost_us = cost.as_micros() as u64;
        let ended = |message: Claimed| {
            let end = end(&message);
            Ended { lane, epoch, outcome: Outcome { message, started, cost_us, end } }
        };
        match work.messages {
            Messages::One(one) => self.shared.done.push([ended(one)]),
            Messages::Many(many) => self.shared.done.push(many.into_iter().map(ended)),
        }
    }

    /// Writes the run's line into the access log.
    fn write(&mut self, entry: &Entry, stat: &str, reason: &str, cost: Duration) {
        let Some(log) = self.shared.log.clone() else { return };
        let access = Access {
            method: "QUEUE",
            function: entry.handler.path,
            handler: Some(entry.handler),
            stat,
            cost: &Seconds::of(cost),
            reason,
        };
        access.write(&*log, &mut self.line, &self.pid, &mut self.ctx);
    }
}

fn first(messages: &Messages) -> Option<&Claimed> {
    messages.as_slice().first()
}

/// The arguments of a batch; `None` where the message's own are the call's.
fn args(entry: &Entry, messages: &Messages) -> Option<String> {
    match (messages, entry.batch) {
        (Messages::Many(many), Some(batch)) => batch::joined(batch.param, many),
        _ => None,
    }
}

/// Why a run was stopped, for its message and for the log.
fn said(why: Stop) -> &'static str {
    match why {
        Stop::Cancelled => "cancelled while it ran",
        Stop::Lost => "stopped: the lease was lost to another worker",
        Stop::Ending => "stopped: the worker is ending, and the message is handed back",
    }
}

/// Completes when the deadline has passed; never without one.
async fn overdue(deadline: Option<Instant>, started: Instant) -> Error {
    match deadline {
        Some(deadline) => {
            tokio::time::sleep_until(deadline.into()).await;
            Fault::Timeout(deadline.saturating_duration_since(started)).into()
        }
        None => std::future::pending().await,
    }
}
