//! A call that is made later: what a door hands to the queue instead of running it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::args::Input;
use crate::call::report;
use crate::handler::Handler;
use crate::{Ctx, Error, Result, current, permit};

/// Takes in calls to be made later: the queue, for `Prefer: respond-async` at the HTTP door. See [`App::later`].
///
/// [`App::later`]: crate::App::later
pub trait Later: Send + Sync + fmt::Debug {
    /// Takes in a call, and gives the id by which its answer is asked for.
    ///
    /// `args` is the text of a JSON object that was bound to the handler already; it binds as
    /// [`Payload::Args`](crate::args::Payload::Args).
    fn take_in<'a>(&'a self, ctx: &'a Ctx, handler: &'static Handler, args: String) -> TakingIn<'a>;
}

/// A call on its way into the queue; what comes out is the message's id.
pub type TakingIn<'a> = Pin<Box<dyn Future<Output = Result<String>> + Send + 'a>>;

/// Hands a call to what the app has for later calls: permission and arguments are checked now as for the call itself.
///
/// Gives the id by which the answer is asked for, and notes it in the call's log line.
///
/// # Errors
///
/// Whatever the call itself can fail with before it runs; a server fault when the app takes in no calls for later;
/// and what the queue says, such as [`Fault::Busy`](crate::Fault::Busy).
pub async fn defer(handler: &'static Handler, ctx: &Ctx, input: Input<'_>) -> Result<String> {
    let args = permit(handler, ctx).and_then(|()| input.to_json(handler, ctx));
    let taken = match (args, ctx.app().later.as_deref()) {
        (Err(error), _) => Err(error),
        (Ok(args), Some(later)) => later.take_in(ctx, handler, args).await,
        (Ok(_), None) => Err(Error::server("this app takes in no calls for later: it has no queue")),
    };
    match &taken {
        Ok(id) => ctx.note(format!("enqueued={id}")),
        Err(error) => current::scope(ctx.reqid(), || report(handler, ctx, error)),
    }
    taken
}
