//! What several targets need: a future run to its end, an input cut into its parts.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// Tells whether a future that waits has seen to it that somebody wakes it.
struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Runs a future that waits for nothing outside itself.
///
/// # Panics
///
/// When the future sleeps although nobody will wake it: a request that would hang.
pub fn finish<T>(future: impl Future<Output = T>) -> T {
    let alarm = Arc::new(Alarm(AtomicBool::new(false)));
    let waker = Waker::from(alarm.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        assert!(alarm.0.swap(false, Relaxed), "asleep for ever");
    }
}

/// The first line of an input, and what follows it.
#[must_use]
pub fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// The first line of a text, and what follows it.
#[must_use]
pub fn text_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// The first byte as a number, by which a target chooses, and what follows it. A digit counts for itself, so that
/// seeds can be read.
#[must_use]
pub fn choice(data: &[u8]) -> (usize, &[u8]) {
    match data {
        [first, rest @ ..] => (usize::from(first.wrapping_sub(b'0')), rest),
        [] => (0, &[]),
    }
}
