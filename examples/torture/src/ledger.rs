//! What senders write down, outside of every engine: what was accepted, and what was not.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use crate::runs::{Kind, Sending};

/// One line of a sender's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The engine has it.
    Accepted { sending: Sending, id: String },
    /// An error came back: the engine may have it all the same.
    Refused { sending: Sending, why: String },
    /// A named message was sent again that was accepted before.
    Again { n: u64, new: bool },
}

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) sending: Sending,
    pub(crate) id: String,
}

/// A ledger, or several together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) accepted: Vec<Accepted>,
    /// How often each error came back.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Named messages that were sent again, and those of them that were taken for new ones.
    pub(crate) again: u64,
    pub(crate) taken_twice: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { sending: (kind, n, sent), id } => write!(f, "+ {} {n} {sent} {id}", kind.word()),
            Self::Refused { sending: (kind, n, sent), why } => {
                write!(f, "- {} {n} {sent} {}", kind.word(), why.replace('\n', " "))
            }
            Self::Again { n, new } => write!(f, "= named {n} 0 {new}"),
        }
    }
}

impl Line {
    fn of(line: &str) -> Option<Self> {
        let mut words = line.splitn(5, ' ');
        let sign = words.next()?;
        let sending = (Kind::of(words.next()?)?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let rest = words.next()?.to_owned();
        match sign {
            "+" => Some(Self::Accepted { sending, id: rest }),
            "-" => Some(Self::Refused { sending, why: rest }),
            "=" => Some(Self::Again { n: sending.1, new: rest == "true" }),
            _ => None,
        }
    }
}

impl Ledger {
    pub(crate) fn add(&mut self, line: Line) {
        match line {
            Line::Accepted { sending, id } => self.accepted.push(Accepted { sending, id }),
            Line::Refused { why, .. } => *self.refused.entry(without_numbers(&why)).or_default() += 1,
            Line::Again { new, .. } => {
                self.again += 1;
                self.taken_twice += u64::from(new);
            }
        }
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        self.accepted.append(&mut other.accepted);
        for (why, count) in other.refused {
            *self.refused.entry(why).or_default() += count;
        }
        self.again += other.again;
        self.taken_twice += other.taken_twice;
    }
}

/// The depth is another one each time.
fn without_numbers(why: &str) -> String {
    let mut out = String::with_capacity(why.len());
    for c in why.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

/// Reads a ledger; one that is missing is empty.
pub(crate) fn read(path: &Path) -> io::Result<Ledger> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let mut ledger = Ledger::default();
    for line in text.lines() {
        let line = Line::of(line)
            .ok_or_else(|| io::Error::other(format!("{}: this is no entry: {line:?}", path.display())))?;
        ledger.add(line);
    }
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let sending = (Kind::Plain, 7, 1_000_002);
        for line in [
            Line::Accepted { sending, id: "5f3a9c1e0064f3a1b2c3d".into() },
            Line::Refused { sending, why: "ERR_BUSY: no room".into() },
            Line::Again { n: 8, new: false },
        ] {
            assert_eq!(Line::of(&line.to_string()), Some(line));
        }
        assert_eq!(Line::of("+ plain 7"), None);
    }

    #[test]
    fn refusals_are_counted_by_their_reason() {
        let mut ledger = Ledger::default();
        for depth in [20_000, 20_017] {
            let why = format!("the topic is full: {depth} messages wait");
            ledger.add(Line::Refused { sending: (Kind::Named, 0, 0), why });
        }
        assert_eq!(
            ledger.refused.into_iter().collect::<Vec<_>>(),
            [("the topic is full: # messages wait".into(), 2)]
        );
    }
}
