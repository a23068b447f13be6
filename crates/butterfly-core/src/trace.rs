//! The line-by-line trace behind `butterfly call PATH ARGS --trace`.
//!
//! In debug builds `#[handler]` writes a probe before every line of the function and after everything that gives a
//! variable a value. A probe costs one comparison until [`start`] is called. From then on each call of a handler
//! is printed: lines with their time, new and changed variables, the value returned, the time it took.
//!
//! There is one recorder for the whole process: a traced call may hop between threads, and nothing else runs
//! beside it in the command that uses this. Handlers called by a traced one are indented below it; when several
//! of them run interleaved in one task, a handler is indented below the one that was active last.
//!
//! Values of names that contain `password`, `secret` or `token` are never printed.
//!
//! # Example
//!
//! ```
//! use butterfly_core::trace::{self, TraceOptions};
//!
//! trace::start(TraceOptions::new(std::io::stderr()).depth(2));
//! // ... call a handler ...
//! trace::stop();
//! ```

mod recorder;
mod source;
mod value;

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use recorder::Recorder;
pub use value::Show;

/// Whether a call that begins now is recorded. Relaxed is enough: a call that misses the change is simply not traced.
static ON: AtomicBool = AtomicBool::new(false);
static RECORDER: Mutex<Option<Recorder>> = Mutex::new(None);

/// How a trace is printed, and where to.
pub struct TraceOptions {
    /// Whether the lines are coloured with ANSI codes.
    pub color: bool,
    /// How many levels of handlers calling handlers are printed; 1 is the called handler alone.
    pub depth: usize,
    /// What the lines are written to.
    pub sink: Box<dyn Write + Send>,
}

impl TraceOptions {
    /// Two levels, without colours, to `sink`.
    #[must_use]
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self { color: false, depth: 2, sink: Box::new(sink) }
    }

    /// Sets whether the lines are coloured.
    #[must_use]
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// Sets how many levels of handlers are printed.
    #[must_use]
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }
}

impl fmt::Debug for TraceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { color, depth, sink: _ } = self;
        f.debug_struct("TraceOptions").field("color", color).field("depth", depth).finish_non_exhaustive()
    }
}

/// Records every call of a handler that begins from now on. A trace that was running ends.
pub fn start(options: TraceOptions) {
    *recorder() = Some(Recorder::new(options));
    ON.store(true, Ordering::Relaxed);
}

/// Ends the trace. Calls that are still running go on in silence.
pub fn stop() {
    ON.store(false, Ordering::Relaxed);
    *recorder() = None;
}

fn recorder() -> MutexGuard<'static, Option<Recorder>> {
    RECORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One call of a traced function; its end, by whatever way, is the end of this value.
///
/// It holds a number and nothing else, so that a future which keeps it across an `.await` stays `Send`, `Sync`
/// and `UnwindSafe` whenever it was without it.
#[derive(Debug)]
pub struct Frame(u64);

impl Frame {
    /// The call is not recorded.
    const fn is_silent(&self) -> bool {
        self.0 == 0
    }

    fn record(&self, event: impl FnOnce(&mut Recorder, u64)) {
        if self.is_silent() {
            return;
        }
        if let Some(recorder) = recorder().as_mut() {
            event(recorder, self.0);
        }
    }

    fn value<T: Show<M> + ?Sized, M>(&self, name: &'static str, value: &T, label: &'static str) {
        if self.is_silent() {
            return;
        }
        // Made before the recorder is locked: the user's `Debug` may take its time, or call anything.
        let text = if value::is_secret(name) { value::HIDDEN.to_owned() } else { value.text() };
        self.record(|recorder, id| recorder.variable(id, name, text, label));
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.record(Recorder::leave);
    }
}

// What follows is called by instrumented functions. The last argument of those that print a value is always a bare
// `0`: see `Show` for what it decides.

/// A function begins.
#[doc(hidden)]
#[must_use]
pub fn enter(name: &'static str, file: &'static str, line: u32, root: Option<&'static str>) -> Frame {
    if !ON.load(Ordering::Relaxed) {
        return Frame(0);
    }
    let id = recorder().as_mut().and_then(|recorder| recorder.enter(name, file, line, root));
    Frame(id.unwrap_or(0))
}

/// A parameter of the function.
#[doc(hidden)]
pub fn given<T: Show<M> + ?Sized, M>(frame: &Frame, name: &'static str, value: &T, _: M) {
    frame.value(name, value, "Starting var:..");
}

/// All parameters are told; the function's own line is next.
#[doc(hidden)]
pub fn call(frame: &Frame) {
    frame.record(Recorder::call);
}

/// The statement on this line is about to run.
#[doc(hidden)]
pub fn line(frame: &Frame, line: u32) {
    frame.record(|recorder, id| recorder.line(id, line));
}

/// A variable that has, or may have, a new value.
#[doc(hidden)]
pub fn see<T: Show<M> + ?Sized, M>(frame: &Frame, name: &'static str, value: &T, _: M) {
    frame.value(name, value, "New var:.......");
}

/// As [`see`], for a variable that must not be borrowed: it is moved in, and given back.
#[doc(hidden)]
#[must_use]
pub fn pass<T: Show<M>, M>(frame: &Frame, name: &'static str, value: T, _: M) -> T {
    frame.value(name, &value, "New var:.......");
    value
}

/// What the function is about to return.
#[doc(hidden)]
pub fn returned<T: Show<M> + ?Sized, M>(frame: &Frame, value: &T, _: M) {
    if !frame.is_silent() {
        let text = value.text();
        frame.record(|recorder, id| recorder.returned(id, text));
    }
}

/// Never true, which the compiler does not know.
#[doc(hidden)]
#[must_use]
pub fn never() -> bool {
    false
}

/// Stands for a use of a `mut` variable; see `rebind` in the macro.
#[doc(hidden)]
pub fn touch<T: ?Sized>(_: &mut T) -> ! {
    std::process::abort()
}
