//! The one background thread that writes the buffers of all files.
//!
//! It knows two states. With lines about, it gathers every 100 ms, and at once when a buffer is full. After a gather
//! that found nothing it is parked, without a timer: an idle process takes no CPU. The first line that finds it
//! parked wakes it; every other line costs a load of one flag.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::file::{HANDOVER, Shared, lock};

/// The longest a line waits in a buffer.
const PERIOD: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(crate) struct Writer {
    files: Mutex<Vec<Arc<Shared>>>,
    thread: OnceLock<Thread>,
    /// Nothing is pending and no timer runs: the next line has to wake the thread.
    parked: AtomicBool,
    /// Some buffer has reached its size.
    full: AtomicBool,
    /// How often all buffers were looked at.
    gathers: AtomicU64,
}

impl Writer {
    /// The writer of this process, started at the first call.
    pub(crate) fn of_process() -> io::Result<Arc<Writer>> {
        static WRITER: Mutex<Option<Arc<Writer>>> = Mutex::new(None);
        let mut writer = lock(&WRITER);
        if let Some(writer) = &*writer {
            return Ok(Arc::clone(writer));
        }
        Ok(Arc::clone(writer.insert(Writer::start()?)))
    }

    /// A writer with a thread that lives as long as the process.
    fn start() -> io::Result<Arc<Writer>> {
        let writer = Arc::new(Writer::default());
        let running = Arc::clone(&writer);
        let thread = thread::Builder::new().name("butterfly-log".to_owned()).spawn(move || running.run())?;
        writer.thread.get_or_init(|| thread.thread().clone());
        Ok(writer)
    }

    pub(crate) fn add(&self, file: Arc<Shared>) {
        lock(&self.files).push(file);
    }

    pub(crate) fn remove(&self, file: &Arc<Shared>) {
        lock(&self.files).retain(|other| !Arc::ptr_eq(other, file));
    }

    /// To be called after each line.
    ///
    /// Relaxed suffices: the writer raises the flag before its last look into the buffers. Either that look, under
    /// the buffer's lock, sees the line, or the line came under the lock after it and so sees the flag.
    #[inline]
    pub(crate) fn touch(&self) {
        if self.parked.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    /// To be called when a buffer has become worth a write.
    #[cold]
    pub(crate) fn full(&self) {
        self.full.store(true, Ordering::Release);
        self.parked.store(false, Ordering::Relaxed);
        self.unpark();
    }

    #[cold]
    fn wake(&self) {
        // Of the threads that saw the flag, one wakes.
        if self.parked.swap(false, Ordering::Relaxed) {
            self.unpark();
        }
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn run(&self) {
        loop {
            self.sleep();
            while self.round() {}
        }
    }

    /// Parks until a line comes.
    fn sleep(&self) {
        self.parked.store(true, Ordering::Relaxed);
        // A line may have come between the last gather and the flag.
        if self.gather(1) {
            self.parked.store(false, Ordering::Relaxed);
        }
        while self.parked.load(Ordering::Relaxed) {
            thread::park();
        }
    }

    /// Writes full buffers for one period, then whatever there is; tells whether there was anything.
    fn round(&self) -> bool {
        let end = Instant::now() + PERIOD;
        let mut found = false;
        loop {
            if self.full.swap(false, Ordering::Acquire) {
                found |= self.gather(HANDOVER);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.gather(1) || found;
            }
            thread::park_timeout(left);
        }
    }

    fn gather(&self, least: usize) -> bool {
        self.gathers.fetch_add(1, Ordering::Relaxed);
        // A copy: opening and closing files must not wait for the disk.
        let files = lock(&self.files).clone();
        files.iter().fold(false, |found, file| file.gather(least) | found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::LogFile;
    use crate::rotate::Rotation;
    use crate::sink::system_clock;
    use std::fs;

    struct Bench {
        log: LogFile,
        writer: Arc<Writer>,
        _folder: tempfile::TempDir,
    }

    fn bench() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::start().unwrap();
        let path = folder.path().join("acc.log");
        let log = LogFile::open_with(&path, Rotation::NEVER, Arc::clone(&writer), system_clock()).unwrap();
        Bench { log, writer, _folder: folder }
    }

    impl Bench {
        fn written(&self) -> u64 {
            fs::metadata(self.log.path()).map_or(0, |found| found.len())
        }

        fn parked(&self) -> bool {
            self.writer.parked.load(Ordering::Relaxed)
        }

        fn gathers(&self) -> u64 {
            self.writer.gathers.load(Ordering::Relaxed)
        }
    }

    fn wait_for(what: &str, mut reached: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !reached() {
            assert!(Instant::now() < deadline, "never came: {what}");
            thread::yield_now();
        }
    }

    #[test]
    fn lines_arrive_without_a_flush_and_then_the_thread_parks() {
        let bench = bench();
        for round in 1..=3 {
            wait_for("the park", || bench.parked());
            bench.log.line(b"x");
            wait_for("the line", || bench.written() == 2 * round);
        }
        wait_for("the park", || bench.parked());
    }

    #[test]
    fn an_idle_writer_gathers_nothing_while_another_works() {
        let idle = bench();
        idle.log.line(b"x");
        wait_for("the line", || idle.written() == 2);
        wait_for("the park", || idle.parked());
        let busy = bench();
        let periods_of_the_other = |from: u64, to: u64| {
            for round in from..=to {
                busy.log.line(b"y");
                wait_for("the busy writer", || busy.written() == 2 * round);
            }
        };
        // The flag goes up just before the last look: let that pass.
        periods_of_the_other(1, 2);
        let before = idle.gathers();
        periods_of_the_other(3, 6);
        assert_eq!(idle.gathers(), before, "gathered while idle");
        assert!(busy.gathers() >= 6);
    }

    #[test]
    fn a_burst_wakes_once() {
        let bench = bench();
        wait_for("the park", || bench.parked());
        let before = bench.gathers();
        let begun = Instant::now();
        (0..1_000).for_each(|_| bench.log.line(b"x"));
        wait_for("the lines", || bench.written() == 2_000);
        let periods = u64::try_from(begun.elapsed().as_millis() / PERIOD.as_millis()).unwrap();
        assert!(bench.gathers() <= before + periods + 3);
    }

    #[test]
    fn a_full_buffer_does_not_wait_for_the_period() {
        let bench = bench();
        wait_for("the park", || bench.parked());
        // The size of the file grows while this thread never stops for it.
        let line = vec![b'x'; 1023];
        let mut lines = 0_u64;
        wait_for("a full buffer", || {
            bench.log.line(&line);
            lines += 1;
            bench.written() > 0
        });
        bench.log.flush();
        assert_eq!(bench.written(), lines * 1024);
    }
}
