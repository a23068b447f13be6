//! The session of one call.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use butterfly_core::{Ctx, Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::Sessions;
use super::record::{Known, Record};

/// A change that others were faster than so often is given up.
const TRIES: usize = 100;
/// The longest name of a user, in bytes.
const USER: usize = 256;

/// What a call does with sessions: `ctx.session().await?`.
pub trait SessionExt {
    /// The session of the caller, read from the store when it is first asked for in a call. Without a good cookie it is
    /// empty, and nothing is stored until something is set.
    ///
    /// # Errors
    ///
    /// A server fault when the program has no [`Sessions`], or the store cannot be read.
    fn session(&self) -> impl Future<Output = Result<Session<'_>>> + Send;

    /// The sessions of the program, to list and revoke those of a user.
    ///
    /// # Errors
    ///
    /// A server fault when the program has none.
    fn sessions(&self) -> Result<&Sessions>;
}

impl SessionExt for Ctx {
    async fn session(&self) -> Result<Session<'_>> {
        let sessions = self.sessions()?;
        let slot = self.once(Slot::default);
        let read = slot.read.get_or_try_init(|| async {
            // What is answered depends on who asks, whether there is a session or not.
            self.send_header("vary", "cookie");
            let known = sessions.of_call(self).await?;
            if let Some(user) = known.as_ref().and_then(|known| known.record.user.clone()) {
                self.note_user(user);
            }
            *slot.known() = known;
            Ok::<(), Error>(())
        });
        read.await?;
        Ok(Session { ctx: self, sessions, slot })
    }

    fn sessions(&self) -> Result<&Sessions> {
        self.state()
    }
}

/// The session of one call: who is logged in, and values by name.
///
/// What is set is in the store when the method returns: nothing is left to be saved, and nothing is lost when the call
/// fails later. Calls of one session that run at once do not undo each other's changes: each key is its own, and of two
/// that set the same key, the later stands; see [`update`](Self::update).
#[derive(Clone)]
pub struct Session<'c> {
    ctx: &'c Ctx,
    sessions: &'c Sessions,
    slot: Arc<Slot>,
}

/// What a call knows of its session.
#[derive(Debug, Default)]
struct Slot {
    read: OnceCell<()>,
    known: Mutex<Option<Known>>,
    /// Changes of one call take turns.
    turn: tokio::sync::Mutex<()>,
}

impl Slot {
    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session<'_> {
    /// Who is logged in.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.slot.known().as_ref()?.record.user.clone()
    }

    /// The name of this session in [`Sessions::list`]; `None` while nothing is stored.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(self.slot.known().as_ref()?.id.clone())
    }

    /// A value, as it was when the call first asked for its session, with what this call has changed since.
    ///
    /// # Errors
    ///
    /// A server fault that names the key, when what is stored is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let value = self.slot.known().as_ref().and_then(|known| known.record.data.get(key).cloned());
        value.map(|value| read(key, value)).transpose()
    }

    /// Sets a value.
    ///
    /// # Errors
    ///
    /// `ERR_SESSION_ENDED` when the session was revoked meanwhile. A server fault when the value has no JSON form, the
    /// session would hold too much, or the store cannot take it; the session is as before then.
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<()> {
        let value = written(key, value)?;
        self.change(key, |data| {
            data.insert(key.to_owned(), value.clone());
            Ok(())
        })
        .await
    }

    /// Removes a value.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub async fn remove(&self, key: &str) -> Result<()> {
        if self.slot.known().is_none() {
            return Ok(());
        }
        self.change(key, |data| {
            data.remove(key);
            Ok(())
        })
        .await
    }

    /// Makes a value of the one before, and gives it. The function runs again when another call has changed the session in
    /// between: of two that add one to a number, both count.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set) and [`get`](Self::get).
    pub async fn update<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        change: impl Fn(Option<T>) -> T + Send + Sync,
    ) -> Result<T> {
        self.change(key, |data| {
            let before = data.get(key).cloned().map(|value| read(key, value)).transpose()?;
            let value = change(before);
            data.insert(key.to_owned(), written(key, &value)?);
            Ok(value)
        })
        .await
    }

    /// Logs a user in. The session goes on under a new id and the old one ends, so that an id from before the login,
    /// which somebody else may have planted, opens nothing. What it holds stays, unless it was another user's.
    ///
    /// # Errors
    ///
    /// A server fault when the user's name is empty or longer than 256 bytes, or the store cannot do it; nobody is logged
    /// in then.
    pub async fn login(&self, user: impl fmt::Display + Send) -> Result<()> {
        let user = user.to_string();
        if user.is_empty() || user.len() > USER {
            let length = user.len();
            return Err(Error::server(format!(
                "a user's name in a session has 1 to {USER} bytes, not {length}"
            )));
        }
        self.only_over_http()?;
        let _turn = self.slot.turn.lock().await;
        let data = match self.end().await? {
            Some(before) if before.user.as_ref().is_none_or(|before| *before == user) => before.data,
            _ => Map::new(),
        };
        self.sessions.make_room(&user).await?;
        let record = Record::new(Some(user.clone()), data, self.sessions.now());
        let known = self.sessions.begin(self.ctx, record).await?;
        self.ctx.note_user(user);
        *self.slot.known() = Some(known);
        Ok(())
    }

    /// Ends the session: what it holds is gone, and its cookie opens nothing any more.
    ///
    /// # Errors
    ///
    /// When the store cannot do it.
    pub async fn logout(&self) -> Result<()> {
        let _turn = self.slot.turn.lock().await;
        self.end().await?;
        let options = self.sessions.options();
        self.ctx.send_cookie(&super::cookie::of(options, self.ctx, String::new()).max_age(0));
        Ok(())
    }

    /// Takes the session out of the store, and gives what it held in the end.
    async fn end(&self) -> Result<Option<Record>> {
        for _ in 0..TRIES {
            let Some(known) = self.slot.known().clone() else { return Ok(None) };
            if self.sessions.store().remove(&known.id, Some(known.version)).await? {
                *self.slot.known() = None;
                return Ok(Some(known.record));
            }
            self.read_anew(&known.id).await?;
        }
        Err(busy())
    }

    /// Changes what the session holds, in the store and here.
    async fn change<T>(
        &self,
        key: &str,
        change: impl Fn(&mut Map<String, Value>) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.only_over_http()?;
        let _turn = self.slot.turn.lock().await;
        for _ in 0..TRIES {
            let Some(mut known) = self.slot.known().clone() else {
                let mut record = Record::new(None, Map::new(), self.sessions.now());
                let value = change(&mut record.data)?;
                self.check_size(key, &record)?;
                *self.slot.known() = Some(self.sessions.begin(self.ctx, record).await?);
                return Ok(value);
            };
            let value = change(&mut known.record.data)?;
            self.check_size(key, &known.record)?;
            known.record.see(self.ctx, self.sessions.now());
            if self.sessions.replace(&mut known).await? {
                *self.slot.known() = Some(known);
                return Ok(value);
            }
            if !self.read_anew(&known.id).await? {
                let reason = "it was revoked or logged out while this call ran";
                return Err(Error::business_because("ERR_SESSION_ENDED", reason));
            }
        }
        Err(busy())
    }

    /// Reads what others have made of the session; false when they have ended it.
    async fn read_anew(&self, id: &str) -> Result<bool> {
        let found = self.sessions.load(id).await?;
        let lasts = found.is_some();
        *self.slot.known() = found;
        Ok(lasts)
    }

    fn check_size(&self, key: &str, record: &Record) -> Result<()> {
        let (bytes, most) = (serde_json::to_string(&record.data)?.len(), self.sessions.options().max_bytes);
        if bytes <= most {
            return Ok(());
        }
        Err(Error::server(format!(
            "with {key:?} the session would hold {bytes} bytes, and {most} is the most (session.max_bytes): store an \
             id, and the rest in a database"
        )))
    }

    /// A call by another door has nobody who could keep a cookie.
    fn only_over_http(&self) -> Result<()> {
        if self.ctx.head().is_some() {
            return Ok(());
        }
        Err(Error::server("a session begins over HTTP alone: this call came by another door"))
    }
}

fn busy() -> Error {
    Error::server(format!("other calls changed the session {TRIES} times while this one tried to"))
}

fn read<T: DeserializeOwned>(key: &str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        let wanted = std::any::type_name::<T>();
        Error::server(format!("the session's {key:?} is no {wanted}: {error}; remove it, or use another key"))
    })
}

fn written<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|error| Error::server(format!("the session's {key:?} has no JSON form: {error}")))
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.slot.known();
        let user = known.as_ref().and_then(|known| known.record.user.as_deref());
        f.debug_struct("Session").field("user", &user).finish_non_exhaustive()
    }
}
