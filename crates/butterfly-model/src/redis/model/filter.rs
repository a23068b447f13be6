//! Which records are asked for.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

/// Which records are asked for: made by [`Field`](super::Field)s, and combined by `&`, `|` and `!`.
pub struct Filter<M> {
    /// In reverse Polish notation, as the script reads it.
    steps: Vec<Vec<u8>>,
    model: PhantomData<fn() -> M>,
}

impl<M> Filter<M> {
    pub(super) fn step(steps: Vec<Vec<u8>>) -> Self {
        Self { steps, model: PhantomData }
    }

    /// All records.
    #[must_use]
    pub fn all() -> Self {
        Self::step(vec![b"all".to_vec()])
    }

    /// No record.
    #[must_use]
    pub fn none() -> Self {
        Self::step(vec![b"none".to_vec()])
    }

    pub(super) fn steps(&self) -> &[Vec<u8>] {
        &self.steps
    }

    fn with(mut self, other: Self, how: &str) -> Self {
        self.steps.extend(other.steps);
        self.steps.push(how.into());
        self
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Self {
        Self::step(self.steps.clone())
    }
}

impl<M> fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.iter().map(|step| String::from_utf8_lossy(step))).finish()
    }
}

impl<M> BitAnd for Filter<M> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.with(other, "and")
    }
}

impl<M> BitOr for Filter<M> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other, "or")
    }
}

impl<M> Not for Filter<M> {
    type Output = Self;

    fn not(mut self) -> Self {
        self.steps.push(b"not".to_vec());
        self
    }
}
