//! The one path by which every door calls a handler: find, permit, bind, run, reply.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::args::Input;
use crate::handler::{Call, Handler};
use crate::{Ctx, Error, Fault, Reply, Result, current, permit};

/// Calls a handler: the caller's permission, the arguments, the function, the answer.
///
/// The future never panics: a panic of the handler is a server fault like any other, and a failure that nobody
/// foresaw is written to the error log under the call's id.
///
/// # Example
///
/// ```
/// use butterfly_core::{Ctx, Door, Handler, Reply, call, args::Input};
///
/// async fn answer(handler: &'static Handler) -> Result<Reply, butterfly_core::Error> {
///     let ctx = Ctx::new(Door::Cli);
///     call(handler, &ctx, Input { query: Some("str_info=hi"), ..Input::default() }).await
/// }
/// ```
pub fn call<'c>(handler: &'static Handler, ctx: &'c Ctx, input: Input<'_>) -> Running<'c> {
    let started =
        permit(handler, ctx).and_then(|()| current::run(ctx, || caught(|| (handler.run)(ctx, input)))?);
    let state = match started {
        Ok(future) => State::Running(future),
        Err(error) => State::Failed(Some(error)),
    };
    Running { state, ctx, handler }
}

/// Binds a call's arguments and runs nothing: for doors that make the call later, and for checks.
///
/// # Errors
///
/// What the call itself would fail with before it runs, permission apart.
///
/// # Example
///
/// ```
/// use butterfly_core::args::{Input, Payload};
/// use butterfly_core::{Ctx, Handler, Result, bind};
///
/// fn check(handler: &'static Handler, ctx: &Ctx, args: &str) -> Result<()> {
///     bind(handler, ctx, Input { payload: Payload::Args(args.as_bytes()), ..Input::default() })
/// }
/// ```
pub fn bind(handler: &Handler, ctx: &Ctx, input: Input<'_>) -> Result<()> {
    current::scope(ctx.reqid(), || caught(|| (handler.run)(ctx, input).map(drop)))?
}

/// A call on its way to its answer.
#[must_use = "a call does nothing unless it is awaited"]
pub struct Running<'c> {
    state: State<'c>,
    ctx: &'c Ctx,
    handler: &'static Handler,
}

enum State<'c> {
    Running(Call<'c>),
    Failed(Option<Error>),
}

impl Future for Running<'_> {
    type Output = Result<Reply>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        let Self { state, ctx, handler } = &mut *self;
        current::run(ctx, || {
            let result = match state {
                State::Failed(error) => {
                    Err(error.take().unwrap_or_else(|| Error::server("polled after its end")))
                }
                State::Running(future) => match caught(|| future.as_mut().poll(cx)) {
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(result)) => result,
                    Err(panicked) => Err(panicked),
                },
            };
            if let Err(error) = &result {
                report(handler, ctx, error);
            }
            Poll::Ready(result)
        })
    }
}

impl std::fmt::Debug for Running<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running({}, {})", self.handler.path, self.ctx.reqid())
    }
}

/// Runs code of the user's; its panic becomes an error. The handler's own state is dropped with the future, so that
/// nothing half-done is seen again.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|payload| Error::server(format!("panicked: {}", message(&*payload))))
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// Writes a failure that nobody foresaw to the error log.
pub(crate) fn report(handler: &Handler, ctx: &Ctx, error: &Error) {
    if let Fault::Server { .. } = error.fault() {
        let mut text = error.chain();
        for more in ctx.advice(error) {
            text.push_str("; ");
            text.push_str(&more);
        }
        tracing::error!(target: "butterfly::call", handler = handler.path, "{text}");
    }
}
