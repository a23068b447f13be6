//! The `Date` header: computed by hand, once a second and thread.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

/// The last second that four digits of year can tell.
const LAST_SECOND: u64 = 253_402_300_799;

const DAY: u64 = 24 * 60 * 60;

thread_local! {
    static LATEST: Cell<(u64, HttpDate)> = const { Cell::new((0, HttpDate::EPOCH)) };
}

/// A moment as HTTP writes it, in 29 bytes: `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// # Example
///
/// ```
/// use butterfly_http::h1::respond::HttpDate;
///
/// assert_eq!(HttpDate::at(784_111_777).as_bytes(), b"Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpDate([u8; 29]);

impl HttpDate {
    const EPOCH: Self = Self(*b"Thu, 01 Jan 1970 00:00:00 GMT");

    /// The date of so many seconds after the start of 1970; the year 9999 is the last.
    #[must_use]
    pub fn at(unix_seconds: u64) -> Self {
        let seconds = unix_seconds.min(LAST_SECOND);
        let (days, time) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = civil(days);
        let mut date = Self::EPOCH.0;
        // 1 January 1970 was a Thursday.
        date[..3].copy_from_slice(name_at(b"SunMonTueWedThuFriSat", (days + 4) % 7));
        date[5..7].copy_from_slice(&two_digits(day));
        date[8..11].copy_from_slice(name_at(b"JanFebMarAprMayJunJulAugSepOctNovDec", month - 1));
        date[12..14].copy_from_slice(&two_digits(year / 100));
        date[14..16].copy_from_slice(&two_digits(year % 100));
        date[17..19].copy_from_slice(&two_digits(time / 3600));
        date[20..22].copy_from_slice(&two_digits(time / 60 % 60));
        date[23..25].copy_from_slice(&two_digits(time % 60));
        Self(date)
    }

    /// The same as [`HttpDate::at`], but remembers the latest answer: for a caller that has just read the clock.
    #[must_use]
    pub fn cached(unix_seconds: u64) -> Self {
        LATEST.with(|latest| {
            let (second, date) = latest.get();
            if second == unix_seconds {
                return date;
            }
            let date = Self::at(unix_seconds);
            latest.set((unix_seconds, date));
            date
        })
    }

    /// The date of this second.
    #[must_use]
    pub fn now() -> Self {
        // A clock set before 1970 shows 1970.
        Self::cached(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    /// The bytes of the header value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 29] {
        &self.0
    }
}

/// Year, month and day of a day counted from 1970, in eras of 400 years that begin on 1 March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The three letters at a place in a row of names.
fn name_at(names: &[u8], index: u64) -> &[u8] {
    let start = index as usize * 3;
    &names[start..start + 3]
}

fn two_digits(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}
