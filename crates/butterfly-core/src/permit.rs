//! Who may call what.

use crate::handler::Handler;
use crate::{Ctx, Door, Fault, Result};

/// Operators' handlers answer callers on this machine, and others that bring the token `ops.token`.
///
/// A call that a proxy forwarded is not from this machine, whatever its peer address says.
///
/// # Errors
///
/// [`Fault::Forbidden`] with what to do.
pub(crate) fn check(handler: &Handler, ctx: &Ctx) -> Result<()> {
    if !handler.options.ops || ctx.door() == Door::Cli || from_here(ctx) || brings_token(ctx) {
        return Ok(());
    }
    let advice = "only from this machine, or with the header Authorization: Bearer <ops.token>";
    Err(Fault::Forbidden(advice.into()).into())
}

fn from_here(ctx: &Ctx) -> bool {
    let forwarded =
        ["x-forwarded-for", "x-real-ip", "forwarded"].iter().any(|name| ctx.header(name).is_some());
    !forwarded && ctx.ip().is_some_and(|ip| ip.to_canonical().is_loopback())
}

fn brings_token(ctx: &Ctx) -> bool {
    let Some(token) = ctx.app().ops_token.as_deref() else { return false };
    let given = ctx.header("authorization");
    given.as_deref().and_then(|line| line.strip_prefix("Bearer ")).is_some_and(|given| same(given, token))
}

/// Compares in a time that does not tell how much of the secret was right.
fn same(given: &str, secret: &str) -> bool {
    let difference = given.bytes().zip(secret.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == secret.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_compare_whole() {
        assert!(same("abc", "abc"));
        assert!(!same("abd", "abc") && !same("ab", "abc") && !same("abcd", "abc"));
    }
}
