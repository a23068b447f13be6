//! The cookie that carries a session.

use butterfly_core::Ctx;
use butterfly_core::reply::Cookie;

use super::{Options, Secure};

/// A cookie of sessions for a caller: `HttpOnly; SameSite=Lax; Path=/`, and `Secure` where it is to be.
pub(super) fn of(options: &Options, ctx: &Ctx, value: String) -> Cookie {
    let secure = match options.secure {
        Secure::Auto => came_by_tls(ctx),
        Secure::Always => true,
        Secure::Never => false,
    };
    // Browsers refuse cookies of these names that are not.
    let secure = secure || ["__Host-", "__Secure-"].iter().any(|mark| options.cookie.starts_with(mark));
    let cookie = Cookie::new(&options.cookie, value);
    if secure { cookie.secure() } else { cookie }
}

/// Whoever says so without need keeps the cookie from nobody but himself.
fn came_by_tls(ctx: &Ctx) -> bool {
    let proto = ctx.header("x-forwarded-proto");
    let by_proto = proto.as_deref().and_then(|all| all.split(',').next());
    by_proto.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
        || ctx.header("forwarded").is_some_and(|all| all.to_ascii_lowercase().contains("proto=https"))
}
