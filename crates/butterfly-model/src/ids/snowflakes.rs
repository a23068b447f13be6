//! The maker of snowflake ids.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::snowflake::{SEQUENCE_MAX, TIME_MAX};
use super::{Clock, EPOCH_MS, IdError, Snowflake, SystemClock, WorkerLease, WorkerNumbers};

const MS: Duration = Duration::from_millis(1);

/// How ids are made; the default suits almost everybody.
#[derive(Clone)]
pub struct Options {
    clock: Arc<dyn Clock>,
    max_behind: Duration,
    block: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let (max_behind, block) = (Duration::from_secs(600), Duration::from_secs(5));
        Self { clock: Arc::new(SystemClock), max_behind, block }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_behind", &self.max_behind)
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How far the clock may be behind the last id before no more ids are made; ten minutes by default.
    #[must_use]
    pub fn max_behind(mut self, time: Duration) -> Self {
        self.max_behind = time;
        self
    }

    /// How much time is reserved at once; five seconds by default. A maker that was killed has its number go on at most so
    /// far ahead of the clock. Each reservation is a write to where the numbers are kept.
    #[must_use]
    pub fn block(mut self, time: Duration) -> Self {
        self.block = time;
        self
    }
}

/// Makes snowflake ids under a worker number that it holds for as long as it lives. Clones share it.
///
/// Each id of one maker is greater than all that it made before. It makes 4096 ids in a millisecond; who asks for more
/// waits for the next one, asleep.
///
/// ```
/// use butterfly_model::ids::{FileWorkers, Snowflakes};
///
/// # let data = tempfile::tempdir()?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let ids = Snowflakes::start(FileWorkers::new(data.path().join("ids")).datacenter(3))?;
/// let id = ids.next_id_async().await?;
/// assert_eq!(id.datacenter(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Snowflakes(Arc<Maker>);

struct Maker {
    options: Options,
    numbers: Box<dyn WorkerNumbers>,
    /// Held for as long as a write takes; what makes ids takes `turn` alone.
    lease: Mutex<Box<dyn WorkerLease>>,
    turn: Mutex<Turn>,
}

/// What comes next. Times are in milliseconds since the ids' epoch.
#[derive(Debug)]
struct Turn {
    datacenter: u8,
    worker: u8,
    /// The time of the ids that are being made.
    ms: u64,
    /// How many ids of that time are used.
    used: u64,
    /// Times below this one may be used.
    reserved: u64,
}

enum Step {
    Id(Snowflake),
    /// All ids of the millisecond `ms` are used.
    Wait {
        ms: u64,
        time: Duration,
    },
    /// The millisecond is not reserved yet.
    Reserve(u64),
}

impl Snowflakes {
    /// Leases a worker number and starts. It writes to where the numbers are kept.
    ///
    /// # Errors
    ///
    /// As [`WorkerNumbers::lease`], and when the clock is outside the years 2020 to 2089.
    pub fn start(numbers: impl WorkerNumbers) -> Result<Self, IdError> {
        Self::start_with(numbers, Options::default())
    }

    /// Starts with options.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and [`IdError::BadOption`] for a block below a millisecond.
    pub fn start_with(numbers: impl WorkerNumbers, options: Options) -> Result<Self, IdError> {
        if options.block < MS {
            return Err(IdError::BadOption(
                "block: at least one millisecond has to be reserved at once".into(),
            ));
        }
        let now = since_epoch(options.clock.now())?;
        let (lease, turn) = enter(&numbers, &options, now)?;
        let numbers = Box::new(numbers);
        Ok(Self(Arc::new(Maker { options, numbers, lease: Mutex::new(lease), turn: Mutex::new(turn) })))
    }

    /// The next id. It may put the thread to sleep for a millisecond, and writes a reservation every few seconds: async
    /// code calls [`next_id_async`](Self::next_id_async).
    ///
    /// # Errors
    ///
    /// When the clock is wrong or too far behind, and when no time can be reserved; calling again later is fine. A
    /// worker number that was lost is replaced by another one.
    pub fn next_id(&self) -> Result<Snowflake, IdError> {
        let mut waited = None;
        loop {
            match self.0.step(waited)? {
                Step::Id(id) => return Ok(id),
                Step::Wait { ms, time } => {
                    self.0.options.clock.sleep(time);
                    waited = Some(ms);
                }
                Step::Reserve(ms) => self.0.reserve(ms)?,
            }
        }
    }

    /// The next id, waiting without holding the thread. It needs tokio's timer.
    ///
    /// # Errors
    ///
    /// As [`next_id`](Self::next_id).
    pub async fn next_id_async(&self) -> Result<Snowflake, IdError> {
        let mut waited = None;
        loop {
            match self.0.step(waited)? {
                Step::Id(id) => return Ok(id),
                Step::Wait { ms, time } => {
                    tokio::time::sleep(time).await;
                    waited = Some(ms);
                }
                Step::Reserve(ms) => {
                    let maker = self.0.clone();
                    let reserved = tokio::task::spawn_blocking(move || maker.reserve(ms)).await;
                    reserved.map_err(|error| IdError::Unavailable(error.to_string()))??;
                }
            }
        }
    }

    /// The datacenter and the worker number that ids are made under just now.
    #[must_use]
    pub fn number(&self) -> (u8, u8) {
        let turn = self.0.turn();
        (turn.datacenter, turn.worker)
    }
}

impl fmt::Debug for Snowflakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (datacenter, worker) = self.number();
        write!(f, "Snowflakes(datacenter {datacenter}, worker {worker})")
    }
}

impl Maker {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an id, or tells what has to be done before. `waited` is the millisecond that the caller has waited for.
    fn step(&self, waited: Option<u64>) -> Result<Step, IdError> {
        let clock = self.options.clock.now();
        let now = since_epoch(clock)?;
        let mut turn = self.turn();
        let behind = turn.ms.saturating_sub(now);
        if Duration::from_millis(behind) > self.options.max_behind {
            return Err(IdError::ClockBehind {
                by: Duration::from_millis(behind),
                allowed: self.options.max_behind,
            });
        }
        let (ms, used) = if now > turn.ms {
            (now, 0)
        } else if turn.used <= SEQUENCE_MAX {
            (turn.ms, turn.used)
        } else if behind > 0 && waited == Some(turn.ms) {
            // The clock is behind and will not bring the next millisecond; one has passed all the same.
            (turn.ms + 1, 0)
        } else {
            let rest = MS - Duration::from_nanos(u64::from(clock.subsec_nanos()) % 1_000_000);
            return Ok(Step::Wait { ms: turn.ms, time: if behind > 0 { MS } else { rest } });
        };
        if ms >= turn.reserved {
            return Ok(Step::Reserve(ms));
        }
        let id = Snowflake::from_parts(ms + EPOCH_MS, turn.datacenter, turn.worker, used as u16)
            .ok_or(IdError::ClockWrong { unix_ms: ms + EPOCH_MS })?;
        (turn.ms, turn.used) = (ms, used + 1);
        Ok(Step::Id(id))
    }

    /// Reserves the block of time that `ms` is in. Whoever comes while another does it waits here, and finds it done.
    fn reserve(&self, ms: u64) -> Result<(), IdError> {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if ms < self.turn().reserved {
            return Ok(());
        }
        let until = block_end(ms, &self.options);
        match lease.reserve(until + EPOCH_MS) {
            Ok(()) => self.turn().reserved = until,
            Err(IdError::Lost(why)) => {
                tracing::warn!("the lease of id worker {} is lost, another is taken: {why}", lease.worker());
                let now = since_epoch(self.options.clock.now())?;
                let (other, mut next) = enter(&*self.numbers, &self.options, now)?;
                let mut turn = self.turn();
                // The new worker number may be lower: only in a later millisecond are its ids greater for sure.
                if next.ms <= turn.ms {
                    (next.ms, next.used) = (turn.ms + 1, 0);
                }
                *turn = next;
                *lease = other;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        let turn = self.turn();
        let next = turn.ms + u64::from(turn.used > 0);
        drop(turn);
        self.lease.get_mut().unwrap_or_else(PoisonError::into_inner).release(next + EPOCH_MS);
    }
}

/// Leases a number and reserves the first block.
fn enter(
    numbers: &dyn WorkerNumbers,
    options: &Options,
    now: u64,
) -> Result<(Box<dyn WorkerLease>, Turn), IdError> {
    let limit = now + options.max_behind.as_millis().min(TIME_MAX.into()) as u64;
    let mut lease = numbers.lease(now + EPOCH_MS, limit + EPOCH_MS)?;
    let ms = lease.mark().saturating_sub(EPOCH_MS);
    if ms > TIME_MAX {
        return Err(IdError::ClockWrong { unix_ms: lease.mark() });
    }
    let reserved = block_end(ms.max(now), options);
    lease.reserve(reserved + EPOCH_MS)?;
    let turn = Turn { datacenter: lease.datacenter(), worker: lease.worker(), ms, used: 0, reserved };
    Ok((lease, turn))
}

fn block_end(ms: u64, options: &Options) -> u64 {
    ms + options.block.as_millis().min(TIME_MAX.into()) as u64
}

fn since_epoch(clock: Duration) -> Result<u64, IdError> {
    let unix_ms = clock.as_millis() as u64;
    let ms = unix_ms.checked_sub(EPOCH_MS).filter(|ms| *ms <= TIME_MAX);
    ms.ok_or(IdError::ClockWrong { unix_ms })
}

#[cfg(test)]
#[path = "snowflakes_tests.rs"]
mod tests;
