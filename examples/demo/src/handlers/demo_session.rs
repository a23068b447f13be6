//! Who is logged in: a session that every process knows, wherever `session.store` keeps it.

use butterfly::prelude::*;
use butterfly::session::SessionInfo;

/// Log in: a real program would look at a password first.
#[handler(methods(POST))]
async fn login(ctx: &Ctx, #[check(len(1..=64))] name: String) -> Result<()> {
    ctx.session().await?.login(name).await
}

#[data]
pub struct Me {
    /// who is logged in, if anybody is
    pub user: Option<String>,
    /// how often this was asked in this session
    pub visits: u64,
}

/// Who am I?
#[handler]
async fn whoami(ctx: &Ctx) -> Result<Me> {
    let session = ctx.session().await?;
    let visits = session.update("visits", |before: Option<u64>| before.unwrap_or(0) + 1).await?;
    Ok(Me { user: session.user(), visits })
}

/// Log out.
#[handler(methods(POST))]
async fn logout(ctx: &Ctx) -> Result<()> {
    ctx.session().await?.logout().await
}

/// Where I am logged in.
#[handler]
async fn list(ctx: &Ctx) -> Result<Vec<SessionInfo>> {
    ctx.sessions()?.list(user(ctx).await?).await
}

/// Log out elsewhere: end one of my sessions, or all.
#[handler(methods(POST))]
async fn revoke(
    ctx: &Ctx,
    /// the session's id in the list; all when it is not given
    id: Option<String>,
) -> Result<()> {
    let (sessions, user) = (ctx.sessions()?, user(ctx).await?);
    match id {
        Some(id) => ensure!(sessions.revoke(user, &id).await?, "ERR_NO_SESSION"),
        None => drop(sessions.revoke_all(user).await?),
    }
    Ok(())
}

async fn user(ctx: &Ctx) -> Result<String> {
    match ctx.session().await?.user() {
        Some(user) => Ok(user),
        None => bail!("ERR_NO_LOGIN"),
    }
}
