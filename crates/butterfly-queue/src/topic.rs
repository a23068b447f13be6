//! A topic: the path of a handler, and what holds for its messages in every process.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::message::tag;

/// A topic and its limits. Cheap to clone; a program makes one for each handler at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The handler's path.
    pub path: Arc<str>,
    /// The hash of the path in message ids.
    pub tag: u32,
    /// The limits. They travel with every call of an engine, so that the code says what holds.
    pub limits: Limits,
}

/// What an engine keeps to, over all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most messages that wait (queued and scheduled); more are refused.
    pub depth: Option<u64>,
    /// How many may run at once.
    pub concurrency: Option<u32>,
    /// How many may start in a time.
    pub rate: Option<Rate>,
    /// True where messages carry a key ([`Spec::key`](crate::Spec::key)): keys take turns, and `key_concurrency` and
    /// `key_rate` hold for each.
    pub keyed: bool,
    /// How many of one key may run at once.
    pub key_concurrency: Option<u32>,
    /// How many of one key may start in a time.
    pub key_rate: Option<Rate>,
}

/// So many starts in a time: `30/s`, `100/m`, `5/10s`.
///
/// Engines spread them evenly (GCRA) and let a burst of `count` through after a pause.
///
/// # Example
///
/// ```
/// use butterfly_queue::Rate;
///
/// let rate: Rate = "30/s".parse()?;
/// assert_eq!((rate.count, rate.per_ms), (30, 1000));
/// assert_eq!(rate.to_string(), "30/s");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how many milliseconds.
    pub per_ms: u64,
}

impl Rate {
    /// The time between two starts, in microseconds, at least 1.
    #[must_use]
    pub fn interval_us(&self) -> u64 {
        (self.per_ms * 1000 / u64::from(self.count.max(1))).max(1)
    }
}

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice =
            || format!("{text:?} is no rate: write a count and a time, such as 30/s, 100/m or 5/10s");
        let (count, time) = text.split_once('/').ok_or_else(advice)?;
        let count: u32 = count.trim().parse().map_err(|_| advice())?;
        let time = time.trim();
        let digits = time.len() - time.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, unit) = time.split_at(digits);
        let unit = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(advice)?.1;
        let number: u64 = if number.is_empty() { 1 } else { number.parse().map_err(|_| advice())? };
        let per_ms =
            number.checked_mul(unit).filter(|ms| (1..=86_400_000).contains(ms)).ok_or_else(advice)?;
        if count == 0 {
            return Err(format!("{text:?} would let nothing through: pause the topic instead"));
        }
        Ok(Self { count, per_ms })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, ms): &&(&str, u64)| self.per_ms.is_multiple_of(*ms);
        let (name, ms) = UNITS.iter().find(fits).unwrap_or(&UNITS[3]);
        match self.per_ms / ms {
            1 => write!(f, "{}/{name}", self.count),
            number => write!(f, "{}/{number}{name}", self.count),
        }
    }
}

/// The longest topic, in bytes.
const TOPIC_MAX: usize = 200;

impl Topic {
    /// A topic without limits.
    ///
    /// # Errors
    ///
    /// When the text cannot be the path of a handler: it begins with `/` and holds at most 200 bytes of letters,
    /// digits and `_ - . /`, and `{name}` segments, whose braces engines leave out of their keys.
    pub fn new(path: &str) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./{}*".contains(&byte);
        if !path.starts_with('/') || path.len() > TOPIC_MAX || !path.bytes().all(fits) {
            let shown: String = path.chars().take(60).collect();
            return Err(format!(
                "{shown:?} is no topic: a topic is the path of a handler, such as /demo_api/hello"
            ));
        }
        Ok(Self { path: path.into(), tag: tag(path), limits: Limits::default() })
    }

    /// The topic with limits.
    #[must_use]
    pub fn with(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        for text in ["30/s", "100/m", "5/10s", "1/250ms", "7/h"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("60 / 1m".parse::<Rate>().unwrap().interval_us(), 1_000_000);
        for bad in ["", "30", "0/s", "-1/s", "30/", "30/x", "30/0s", "1/2d", "1/99999999h"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_topic_is_a_path() {
        assert!(Topic::new("/demo_api/hello").is_ok());
        assert!(Topic::new("/users/{id}").is_ok());
        for bad in ["", "demo", "/a b", "/a\n", "/é", &format!("/{}", "x".repeat(200))] {
            assert!(Topic::new(bad).is_err(), "{bad:?}");
        }
    }
}
