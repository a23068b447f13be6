//! What a cache did, counted.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a cache did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Values found and good.
    pub hit: u64,
    /// Values not found.
    pub miss: u64,
    /// Values given past their time, while a new one was loaded or because it could not be.
    pub stale: u64,
    /// Loaders run.
    pub load: u64,
    /// Failures of the store that nobody was told, because a loader stood in for it.
    pub error: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Hit,
    Miss,
    Stale,
    Load,
    Error,
}

/// Threads count in places of their own: one shared place would cost each hit more than the look-up.
const STRIPES: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Counts([Stripe; STRIPES]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; 5]);

impl Counts {
    #[inline]
    pub(super) fn add(&self, what: Count) {
        self.0[stripe()].0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counters {
        let sum = |what: Count| {
            self.0.iter().map(|stripe| stripe.0[what as usize].load(Ordering::Relaxed)).sum::<u64>()
        };
        Counters {
            hit: sum(Count::Hit),
            miss: sum(Count::Miss),
            stale: sum(Count::Stale),
            load: sum(Count::Load),
            error: sum(Count::Error),
        }
    }
}

/// The place of this thread.
#[inline]
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        mine.get() % STRIPES
    })
}
