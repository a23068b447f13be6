//! All sessions of a program.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use butterfly_core::schemars::{self, JsonSchema};
use butterfly_core::{Ctx, Error, Result};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::OnceCell;

use super::record::{Known, Record, after, owner};
use super::token::Token;
use super::{Keys, Options, SessionStore};

/// What has expired is swept out of the store so often.
const SWEEP: u64 = 10 * 60_000;
/// A session in use is noted as seen so often at most; see [`Sessions::due`].
const NOTED: u64 = 5 * 60_000;

/// The sessions of a program, on any [`SessionStore`]. Cheap to clone; clones share everything.
///
/// A call asks its context: [`SessionExt`](super::SessionExt).
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    store: Box<dyn SessionStore>,
    keys: OnceCell<Keys>,
    /// Where the keys are, when they were not given.
    key_file: PathBuf,
    options: Options,
    swept: AtomicU64,
    now: fn() -> u64,
}

/// One session of a user, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(crate = "schemars")]
pub struct SessionInfo {
    /// By this [`Sessions::revoke`] ends it. It opens nothing: the cookie holds another secret.
    pub id: String,
    /// When it began: the login.
    pub created: Timestamp,
    /// When it was used last, to within five minutes or a tenth of its idle time.
    pub seen: Timestamp,
    /// The address that used it last.
    pub ip: Option<String>,
    /// The browser or program that used it last, as it names itself.
    pub agent: Option<String>,
}

impl Sessions {
    /// Sessions in a store, their cookies signed by these keys.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_model::session::{Keys, MemorySessions, Options, Sessions};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> butterfly_core::Result<()> {
    /// let keys = Keys::of(&["a secret of this shop"])?;
    /// let sessions = Sessions::new(MemorySessions::new(), keys, Options::default());
    /// assert!(sessions.list("ada").await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(store: impl SessionStore, keys: Keys, options: Options) -> Self {
        Self::with(store, OnceCell::new_with(Some(keys)), PathBuf::new(), options)
    }

    /// Sessions in a store, their cookies signed by the keys in a file, which is read or made when the first session is
    /// looked for: see [`Keys::in_file`].
    pub fn with_key_file(store: impl SessionStore, path: impl Into<PathBuf>, options: Options) -> Self {
        Self::with(store, OnceCell::new(), path.into(), options)
    }

    fn with(store: impl SessionStore, keys: OnceCell<Keys>, key_file: PathBuf, options: Options) -> Self {
        let inner =
            Inner { store: Box::new(store), keys, key_file, options, swept: AtomicU64::new(0), now: now_ms };
        Self { inner: Arc::new(inner) }
    }

    /// The sessions of a user that last, those used last first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(&self, user: impl fmt::Display) -> Result<Vec<SessionInfo>> {
        let known = self.of_user(&user.to_string()).await?;
        known.into_iter().map(|known| info(known.id, &known.record)).collect()
    }

    /// Ends a session of a user; false when the user has none of this id.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn revoke(&self, user: impl fmt::Display, id: &str) -> Result<bool> {
        let owner = owner(&user.to_string());
        let found = self.store().load(id).await?;
        match found.is_some_and(|stored| stored.owner.as_ref() == Some(&owner)) {
            true => self.store().remove(id, None).await,
            false => Ok(false),
        }
    }

    /// Ends all sessions of a user, as after a change of the password; gives how many there were.
    ///
    /// # Errors
    ///
    /// When the store cannot do it; some may have ended by then.
    pub async fn revoke_all(&self, user: impl fmt::Display) -> Result<usize> {
        let mut ended = 0;
        for (id, _) in self.store().list(&owner(&user.to_string())).await? {
            ended += usize::from(self.store().remove(&id, None).await?);
        }
        Ok(ended)
    }

    pub(super) fn store(&self) -> &dyn SessionStore {
        &*self.inner.store
    }

    pub(super) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(super) fn now(&self) -> u64 {
        (self.inner.now)()
    }

    pub(super) async fn keys(&self) -> Result<&Keys> {
        let keys = self.inner.keys.get_or_try_init(|| async {
            let path = self.inner.key_file.clone();
            let read = tokio::task::spawn_blocking(move || Keys::in_file(&path)).await;
            read.map_err(Error::from)?.map_err(Error::from)
        });
        keys.await
    }

    /// The session whose cookie a call brings, if it brings one that is good.
    pub(super) async fn of_call(&self, ctx: &Ctx) -> Result<Option<Known>> {
        let Some(text) = self.cookie_of(ctx) else { return Ok(None) };
        let Some((token, current)) = Token::read(text, self.keys().await?) else { return Ok(None) };
        let Some(mut known) = self.load(&token.id()).await? else { return Ok(None) };
        if self.due(&known) {
            self.renew(ctx, &mut known).await;
        }
        if !current {
            self.send(ctx, &token, known.ends).await?;
        }
        Ok(Some(known))
    }

    /// The value of the call's cookie. Of several that differ, some were set by others, for a part of the paths or for all
    /// hosts of a domain, to slip their session onto the caller: then none counts.
    fn cookie_of<'c>(&self, ctx: &'c Ctx) -> Option<&'c str> {
        let mut all = ctx.head()?.cookies(&self.options().cookie);
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    /// The session of an id, if it lasts.
    pub(super) async fn load(&self, id: &str) -> Result<Option<Known>> {
        let stored = self.store().load(id).await?.filter(|stored| stored.expires > self.now());
        stored.map(|stored| Known::read(id.to_owned(), &stored)).transpose()
    }

    /// Whether it is time to note that a session is used: not at each call, so that reading costs no write.
    fn due(&self, known: &Known) -> bool {
        let idle = u64::try_from(self.options().idle.as_millis()).unwrap_or(u64::MAX);
        self.now().saturating_sub(known.record.seen) >= NOTED.min(idle / 10)
    }

    /// Notes that a session is used. Nothing is lost when it fails: the next call does it.
    async fn renew(&self, ctx: &Ctx, known: &mut Known) {
        let mut newer = known.clone();
        newer.record.see(ctx, self.now());
        match self.replace(&mut newer).await {
            Ok(true) => *known = newer,
            // Another call changed it, and noted it by that.
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(target: "butterfly::session", "a session in use is not renewed: {}", error.chain());
            }
        }
    }

    /// Stores a session in place of what it was read from; false when that is not there any more.
    pub(super) async fn replace(&self, known: &mut Known) -> Result<bool> {
        known.version += 1;
        self.store().replace(&known.id, known.write(self.options().idle)?).await
    }

    /// Stores a new session, and hands its cookie to the caller.
    pub(super) async fn begin(&self, ctx: &Ctx, mut record: Record) -> Result<Known> {
        let (token, now) = (Token::random()?, self.now());
        record.see(ctx, now);
        let known = Known { id: token.id(), version: 1, ends: after(now, self.options().ttl), record };
        self.store().insert(&known.id, known.write(self.options().idle)?).await?;
        self.send(ctx, &token, known.ends).await?;
        self.sweep(now);
        Ok(known)
    }

    /// Ends the sessions of a user that are too many for one more.
    pub(super) async fn make_room(&self, user: &str) -> Result<()> {
        let most = self.options().max_per_user.max(1);
        for known in self.of_user(user).await?.iter().skip(most - 1) {
            self.store().remove(&known.id, None).await?;
        }
        Ok(())
    }

    /// The sessions of a user that last, those used last first.
    async fn of_user(&self, user: &str) -> Result<Vec<Known>> {
        let (all, now) = (self.store().list(&owner(user)).await?, self.now());
        let lasting = all.into_iter().filter(|(_, stored)| stored.expires > now);
        let mut known: Vec<Known> =
            lasting.map(|(id, stored)| Known::read(id, &stored)).collect::<Result<_>>()?;
        known.sort_by(|one, two| two.record.seen.cmp(&one.record.seen).then_with(|| one.id.cmp(&two.id)));
        Ok(known)
    }

    /// Sweeps the store in a task of its own, if that was not done for a while.
    fn sweep(&self, now: u64) {
        let last = self.inner.swept.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= SWEEP;
        if due && self.inner.swept.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let sessions = self.clone();
            tokio::spawn(async move {
                if let Err(error) = sessions.store().purge(now).await {
                    tracing::warn!(target: "butterfly::session", "expired sessions are not swept: {}", error.chain());
                }
            });
        }
    }

    async fn send(&self, ctx: &Ctx, token: &Token, ends: u64) -> Result<()> {
        let value = token.write(self.keys().await?);
        let seconds = ends.saturating_sub(self.now()).div_ceil(1000);
        ctx.send_cookie(&super::cookie::of(self.options(), ctx, value).max_age(seconds));
        Ok(())
    }
}

fn info(id: String, record: &Record) -> Result<SessionInfo> {
    let time = |ms: u64| Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(i64::MAX));
    let Record { created, seen, ip, agent, .. } = record;
    let (created, seen) = (time(*created)?, time(*seen)?);
    Ok(SessionInfo { id, created, seen, ip: ip.clone(), agent: agent.clone() })
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.inner.store)
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::time::Duration;

    use butterfly_core::head::Head;
    use butterfly_core::{App, Door};

    use super::*;
    use crate::session::{MemorySessions, SessionExt};

    const HOUR: u64 = 3_600_000;
    /// The clock of these tests' sessions.
    static NOW: AtomicU64 = AtomicU64::new(1_000 * HOUR);

    fn pass(time: u64) {
        NOW.fetch_add(time, Ordering::Relaxed);
    }

    #[tokio::test]
    async fn a_session_in_use_goes_on_until_it_is_old_and_is_seldom_written() {
        let options = Options {
            idle: Duration::from_secs(3600),
            ttl: Duration::from_secs(3 * 3600),
            ..Options::default()
        };
        let mut sessions =
            Sessions::new(MemorySessions::new(), Keys::of(&["a secret of tests"]).unwrap(), options);
        Arc::get_mut(&mut sessions.inner).unwrap().now = || NOW.load(Ordering::Relaxed);
        let mut app = App::default();
        app.state.insert(sessions.clone());
        let app = Arc::new(app);
        let call = |cookie: &str| {
            let mut head = Head::new("GET".parse().unwrap(), "/");
            head.push("cookie", cookie.as_bytes());
            let mut ctx = Ctx::within(app.clone(), Door::Http);
            ctx.replace_head(Some(Box::new(head)));
            ctx
        };
        let mut ctx = call("");
        ctx.session().await.unwrap().login("ada").await.unwrap();
        let sent = ctx.notes_mut().headers.pop().unwrap().1;
        let cookie = sent.to_str().unwrap().split(';').next().unwrap().to_owned();
        let id = sessions.list("ada").await.unwrap()[0].id.clone();
        let version = async || sessions.store().load(&id).await.unwrap().unwrap().version;

        // A tenth of the idle time is more than the five minutes that count here.
        for _ in 0..3 {
            pass(NOTED / 4);
            assert_eq!(call(&cookie).session().await.unwrap().user().as_deref(), Some("ada"));
        }
        assert_eq!(version().await, 1, "a call that reads writes nothing");
        pass(NOTED / 4);
        assert!(call(&cookie).session().await.unwrap().user().is_some());
        assert_eq!(version().await, 2, "that it is in use is noted now and then");

        for _ in 0..3 {
            pass(HOUR - 10 * 60_000);
            assert!(call(&cookie).session().await.unwrap().user().is_some());
        }
        pass(HOUR - 10 * 60_000);
        assert!(call(&cookie).session().await.unwrap().user().is_none(), "it is three hours old");
        sessions.store().purge(sessions.now()).await.unwrap();
        assert!(sessions.store().load(&id).await.unwrap().is_none());

        let mut ctx = call("");
        ctx.session().await.unwrap().login("ada").await.unwrap();
        let sent = ctx.notes_mut().headers.pop().unwrap().1;
        let cookie = sent.to_str().unwrap().split(';').next().unwrap().to_owned();
        pass(HOUR);
        assert!(call(&cookie).session().await.unwrap().user().is_none(), "nobody used it for an hour");
    }
}
