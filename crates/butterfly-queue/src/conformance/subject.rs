//! What the suite is told of an engine.

use std::sync::Arc;
use std::time::Duration;

use super::memory::Memory;
use crate::engine::{Engine, EngineFuture};

/// An engine that the suite is to look at.
///
/// # Example
///
/// ```
/// use butterfly_queue::conformance::memory::Memory;
/// use butterfly_queue::conformance::{Place, Subject};
/// use butterfly_queue::engine::{Engine, EngineFuture};
/// use std::sync::Arc;
///
/// struct InMemory;
///
/// impl Subject for InMemory {
///     fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>> {
///         Box::pin(async { Ok(Box::new(Shared(Memory::default())) as Box<dyn Place>) })
///     }
/// }
///
/// struct Shared(Memory);
///
/// impl Place for Shared {
///     fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>> {
///         Box::pin(async { Ok(Arc::new(self.0.open()) as Arc<dyn Engine>) })
///     }
/// }
/// ```
pub trait Subject: Send + Sync {
    /// A place where nothing was ever stored: a new folder, a new key prefix.
    fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>>;

    /// How long a case waits for something that must happen. A case as a whole may take six times as long.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }

    /// False for an engine that cannot wake and sends [`Wake::All`](crate::engine::Wake::All) by a timer: it need not
    /// say more.
    fn wakes(&self) -> bool {
        true
    }
}

/// Where an engine keeps its data. What it holds goes with it.
pub trait Place: Send + Sync {
    /// A handle, as a process of its own would have it: it shares no memory with those opened before.
    fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>>;

    /// Cuts off what the handles opened so far have not brought to safety: the power fails, the server is killed.
    /// The suite has dropped those handles, without a good-bye, and opens others afterwards.
    fn crash(&self) -> EngineFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

impl Subject for Memory {
    /// A memory of its own: nothing of `self` is looked at.
    fn fresh(&self) -> EngineFuture<'_, Box<dyn Place>> {
        Box::pin(async { Ok(Box::new(Memory::default()) as Box<dyn Place>) })
    }
}

impl Place for Memory {
    fn open(&self) -> EngineFuture<'_, Arc<dyn Engine>> {
        Box::pin(async { Ok(Arc::new(Memory::open(self)) as Arc<dyn Engine>) })
    }
}
