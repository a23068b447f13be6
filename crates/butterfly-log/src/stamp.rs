//! `YYYY-MM-DD HH:MM:SS` in local time, worked out once a second and thread.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The seconds that print with a four-digit year in every time zone: beyond them a stamp stays at the edge.
const RANGE: (i64, i64) = (-62_167_000_000, 253_402_200_000);

thread_local! {
    static LAST: Cell<Stamp> = const { Cell::new(Stamp::UNSET) };
}

/// Appends the local time of `time` as `YYYY-MM-DD HH:MM:SS`.
///
/// The text of the last second is kept per thread, so that a busy thread formats once a second and otherwise
/// copies 19 bytes. Nothing is allocated.
///
/// # Example
///
/// ```
/// let mut line = Vec::new();
/// butterfly_log::stamp(&mut line, std::time::SystemTime::now());
/// assert_eq!(line.len(), "2026-11-20 15:30:00".len());
/// ```
pub fn stamp(out: &mut Vec<u8>, time: SystemTime) {
    stamp_secs(out, unix_secs(time));
}

/// Like [`stamp`], for seconds since 1970-01-01 UTC.
///
/// # Example
///
/// ```
/// let mut line = Vec::new();
/// butterfly_log::stamp_secs(&mut line, 1_795_188_600);
/// assert!(line.starts_with(b"2026-11-"));
/// ```
pub fn stamp_secs(out: &mut Vec<u8>, secs: i64) {
    out.extend_from_slice(&Stamp::at(secs).text);
}

/// Whole seconds since 1970-01-01 UTC, rounded down.
pub(crate) fn unix_secs(time: SystemTime) -> i64 {
    let whole = |secs: u64| i64::try_from(secs).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after.as_secs()),
        Err(before) => -whole(before.duration().as_secs()) - i64::from(before.duration().subsec_nanos() > 0),
    }
}

/// One second, as it is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    secs: i64,
    /// Seconds that local time is ahead of UTC.
    pub(crate) offset: i32,
    /// `YYYY-MM-DD HH:MM:SS`
    pub(crate) text: [u8; 19],
    /// `+HH:MM`
    pub(crate) zone: [u8; 6],
}

impl Stamp {
    const UNSET: Stamp = Stamp { secs: i64::MIN, offset: 0, text: *b"0000-00-00 00:00:00", zone: *b"+00:00" };

    pub(crate) fn at(secs: i64) -> Stamp {
        let secs = secs.clamp(RANGE.0, RANGE.1);
        let last = LAST.get();
        if last.secs == secs {
            return last;
        }
        let stamp = Stamp::new(secs);
        LAST.set(stamp);
        stamp
    }

    fn new(secs: i64) -> Stamp {
        let time = Timestamp::from_second(secs).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset = TimeZone::system().to_offset(time);
        let civil = offset.to_datetime(time);
        let mut stamp = Stamp { secs, offset: offset.seconds(), ..Stamp::UNSET };
        let year = u8::try_from(civil.year() / 100).unwrap_or(0);
        two(&mut stamp.text, 0, year);
        two(&mut stamp.text, 2, u8::try_from(civil.year() % 100).unwrap_or(0));
        let rest = [civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()];
        for (at, part) in [5, 8, 11, 14, 17].into_iter().zip(rest) {
            two(&mut stamp.text, at, part.unsigned_abs());
        }
        stamp.write_zone();
        stamp
    }

    fn write_zone(&mut self) {
        let minutes = self.offset.unsigned_abs() / 60;
        self.zone[0] = if self.offset < 0 { b'-' } else { b'+' };
        two(&mut self.zone, 1, u8::try_from(minutes / 60).unwrap_or(0));
        two(&mut self.zone, 4, u8::try_from(minutes % 60).unwrap_or(0));
    }
}

/// Writes `value` (below 100) as two digits.
fn two(text: &mut [u8], at: usize, value: u8) {
    text[at] = b'0' + value / 10;
    text[at + 1] = b'0' + value % 10;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stamped(secs: i64) -> String {
        let mut out = Vec::new();
        stamp_secs(&mut out, secs);
        String::from_utf8(out).unwrap()
    }

    /// What jiff itself prints for the same second.
    fn reference(secs: i64) -> String {
        let local = Timestamp::from_second(secs).unwrap().to_zoned(TimeZone::system());
        local.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    #[test]
    fn agrees_with_jiff() {
        for secs in [0, 1, 59, 86_399, 951_782_400, 1_795_188_600, 1_795_188_601, 4_102_444_799, -1] {
            assert_eq!(stamped(secs), reference(secs));
            assert_eq!(stamped(secs), reference(secs), "from the cache");
        }
    }

    #[test]
    fn the_edges_of_time_do_not_matter() {
        assert_eq!(stamped(i64::MIN), stamped(RANGE.0));
        assert_eq!(stamped(i64::MAX), stamped(RANGE.1));
        assert_eq!(stamped(i64::MIN).len(), 19);
    }

    #[test]
    fn seconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(unix_secs(UNIX_EPOCH + Duration::from_millis(1_900)), 1);
        assert_eq!(unix_secs(UNIX_EPOCH - Duration::from_millis(100)), -1);
        assert_eq!(unix_secs(UNIX_EPOCH - Duration::from_secs(2)), -2);
    }

    #[test]
    fn zones_print_with_their_sign() {
        let mut stamp = Stamp { offset: -12_600, ..Stamp::UNSET };
        stamp.write_zone();
        assert_eq!(&stamp.zone, b"-03:30");
    }
}
