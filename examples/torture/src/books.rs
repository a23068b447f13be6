//! The books: what senders were told, what handlers saw and what the engine keeps must be one story.

use std::collections::{HashMap, HashSet};

use butterfly::messages::engine::DEATHS_MAX;
use butterfly::messages::{Engine, Message, State};

use crate::ledger::Ledger;
use crate::runs::{Kind, Sending};

/// A message as the engine keeps it at the end.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) sending: Sending,
    pub(crate) state: State,
    pub(crate) deaths: u32,
}

/// What the books say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Messages that were accepted, as their senders were told.
    pub(crate) accepted: u64,
    pub(crate) finished: u64,
    /// Set aside, for [`DEATHS_MAX`] workers died with them.
    pub(crate) died: u64,
    /// Of these, those of which fewer runs had begun: their workers died while they lay ready.
    pub(crate) died_waiting: u64,
    /// Kept without anybody having been told: the answer was lost, or its sender was.
    pub(crate) unanswered: u64,
    pub(crate) runs: u64,
    /// Runs beyond the first of a message.
    pub(crate) extra: u64,
    /// Of these, those after a run whose process was killed, each with a death in the books.
    pub(crate) explained: u64,
    /// Of these, those after a lease that was lost though its process lived, each with a death in the books.
    pub(crate) silent: u64,
    /// Accepted, and not in the books.
    pub(crate) lost: u64,
    /// In the books twice, or under a wrong name.
    pub(crate) doubled: u64,
    /// Ended in any other way.
    pub(crate) failed: u64,
    /// Finished, though no handler saw them.
    pub(crate) unrun: u64,
    /// Runs of what the engine does not have.
    pub(crate) strange: u64,
    pub(crate) unexplained: u64,
    /// By how much the engine's counts differ from what it lists.
    pub(crate) miscounted: u64,
    pub(crate) taken_twice: u64,
}

impl Audit {
    /// The figures that must be 0.
    pub(crate) fn faults(&self) -> [(&'static str, u64); 8] {
        [
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("failed otherwise", self.failed),
            ("finished without a run", self.unrun),
            ("runs of unknown messages", self.strange),
            ("unexplained runs", self.unexplained),
            ("miscounted", self.miscounted),
            ("named ones taken twice", self.taken_twice),
        ]
    }

    pub(crate) fn adds_up(&self) -> bool {
        self.faults().iter().all(|(_, count)| *count == 0)
    }
}

/// Compares the three stories.
pub(crate) fn audit(
    ledger: &Ledger,
    runs: &HashMap<Sending, Vec<u32>>,
    kept: &[Kept],
    killed: &HashSet<u32>,
) -> Audit {
    let mut audit = Audit { taken_twice: ledger.taken_twice, ..Audit::default() };
    let mut ids = HashMap::with_capacity(kept.len());
    let mut names = HashSet::new();
    for message in kept {
        let (kind, n, _) = message.sending;
        let twice = ids.insert(message.id.as_str(), message.sending).is_some();
        audit.doubled += u64::from(twice || kind == Kind::Named && !names.insert(n));
        audit.look_at(message, runs.get(&message.sending).map_or(&[], Vec::as_slice), killed);
    }
    audit.accepted = ledger.accepted.len() as u64;
    for accepted in &ledger.accepted {
        match ids.remove(accepted.id.as_str()) {
            None => audit.lost += 1,
            Some(sending) => audit.doubled += u64::from(!is_same(accepted.sending, sending)),
        }
    }
    audit.unanswered = ids.len() as u64;
    let known: HashSet<Sending> = kept.iter().map(|message| message.sending).collect();
    audit.doubled += (kept.len() - known.len()) as u64;
    audit.runs = runs.values().map(|runs| runs.len() as u64).sum();
    audit.strange =
        runs.iter().filter(|(sending, _)| !known.contains(sending)).map(|(_, runs)| runs.len() as u64).sum();
    audit
}

/// Of a named message the engine may have kept an attempt whose answer was lost.
fn is_same(accepted: Sending, kept: Sending) -> bool {
    let ((kind, n, _), (kept_kind, kept_n, _)) = (accepted, kept);
    accepted == kept || kind == Kind::Named && (kind, n) == (kept_kind, kept_n)
}

impl Audit {
    fn look_at(&mut self, message: &Kept, runs: &[u32], killed: &HashSet<u32>) {
        let survived = runs.iter().filter(|pid| !killed.contains(pid)).count();
        match message.state {
            State::Finished => self.finished += 1,
            State::Failed if message.deaths >= DEATHS_MAX => {
                self.died += 1;
                self.died_waiting += u64::from(runs.len() < DEATHS_MAX as usize);
            }
            _ => self.failed += 1,
        }
        self.unrun += u64::from(message.state == State::Finished && runs.is_empty());
        let Some(extra) = runs.len().checked_sub(1) else { return };
        self.extra += extra as u64;
        // A worker that dies with a message that it has not begun is a death without a run.
        let (deaths, most) = (message.deaths as usize, usize::from(message.state == State::Finished));
        self.unexplained += extra.saturating_sub(deaths) as u64;
        let silent = survived.saturating_sub(most.max(1)).min(extra.min(deaths));
        self.silent += silent as u64;
        self.explained += (extra.min(deaths) - silent) as u64;
    }
}

/// A page of what an engine lists.
const PAGE: u64 = 10_000;

/// Everything that an engine has, and by how much its counts differ from it.
pub(crate) async fn kept(engine: &dyn Engine) -> Result<(Vec<Kept>, u64), Box<dyn std::error::Error>> {
    let (mut kept, mut miscounted) = (Vec::new(), 0);
    for kind in Kind::ALL {
        let counts = engine.counts(kind.topic()).await?;
        for state in State::ALL {
            let before = kept.len();
            loop {
                let offset = (kept.len() - before) as u64;
                let page = engine.list(kind.topic(), state, offset, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                for message in &page {
                    kept.push(kept_of(kind, message)?);
                }
            }
            miscounted += counts.of(state).abs_diff((kept.len() - before) as u64);
        }
    }
    Ok((kept, miscounted))
}

#[derive(serde::Deserialize)]
struct Args {
    n: u64,
    sent: u64,
}

fn kept_of(kind: Kind, message: &Message) -> Result<Kept, serde_json::Error> {
    let Args { n, sent } = serde_json::from_str(&message.spec.args)?;
    Ok(Kept {
        id: message.id.to_string(),
        sending: (kind, n, sent),
        state: message.state,
        deaths: message.deaths,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Accepted;

    /// Messages of which each was accepted, ran once in process 1, and finished.
    fn story(count: u64) -> (Ledger, HashMap<Sending, Vec<u32>>, Vec<Kept>) {
        let sendings = (0..count).map(|n| (crate::sender::kind_of(n), n, 1));
        let accepted =
            sendings.clone().map(|sending| Accepted { sending, id: sending.1.to_string() }).collect();
        let runs = sendings.clone().map(|sending| (sending, vec![1])).collect();
        let kept = sendings
            .map(|sending| Kept { id: sending.1.to_string(), sending, state: State::Finished, deaths: 0 })
            .collect();
        (Ledger { accepted, ..Ledger::default() }, runs, kept)
    }

    fn killed() -> HashSet<u32> {
        [2, 3, 4].into()
    }

    #[test]
    fn one_story_adds_up() {
        let (ledger, mut runs, mut kept) = story(4);
        // A worker died with 1, and with 2 before it had begun; three died with 3.
        runs.insert(kept[1].sending, vec![2, 1]);
        (kept[1].deaths, kept[2].deaths) = (1, 1);
        runs.insert(kept[3].sending, vec![2, 3, 4]);
        (kept[3].deaths, kept[3].state) = (3, State::Failed);
        let audit = audit(&ledger, &runs, &kept, &killed());
        assert!(audit.adds_up(), "{audit:?}");
        assert_eq!((audit.accepted, audit.finished, audit.died, audit.died_waiting), (4, 3, 1, 0));
        assert_eq!((audit.runs, audit.extra, audit.explained, audit.silent), (7, 3, 3, 0));
    }

    #[test]
    fn a_lost_lease_of_a_process_that_lives_is_told_apart() {
        let (ledger, mut runs, mut kept) = story(1);
        runs.insert(kept[0].sending, vec![1, 5]);
        kept[0].deaths = 1;
        let audit = audit(&ledger, &runs, &kept, &killed());
        assert!(audit.adds_up() && audit.silent == 1 && audit.explained == 0, "{audit:?}");
    }

    #[test]
    fn what_does_not_add_up_is_seen() {
        type Spoil = fn(&mut Ledger, &mut HashMap<Sending, Vec<u32>>, &mut Vec<Kept>);
        let spoils: [(&str, Spoil); 8] = [
            ("lost", |_, runs, kept| {
                runs.remove(&kept.remove(0).sending);
            }),
            ("doubled", |_, _, kept| kept.push(kept[1].clone())),
            ("doubled", |_, runs, kept| {
                // The same name under a second number of the engine's.
                let again = Kept { id: "other".into(), sending: (Kind::Named, 0, 2), ..kept[0].clone() };
                runs.insert(again.sending, vec![1]);
                kept.push(again);
            }),
            ("failed otherwise", |_, _, kept| kept[0].state = State::Failed),
            ("finished without a run", |_, runs, kept| {
                runs.remove(&kept[0].sending);
            }),
            ("runs of unknown messages", |_, runs, _| {
                runs.insert((Kind::Plain, 99, 1), vec![1]);
            }),
            ("unexplained runs", |_, runs, kept| {
                runs.insert(kept[0].sending, vec![2, 1]);
            }),
            ("named ones taken twice", |ledger, _, _| ledger.taken_twice = 1),
        ];
        for (name, spoil) in spoils {
            let (mut ledger, mut runs, mut kept) = story(3);
            spoil(&mut ledger, &mut runs, &mut kept);
            let audit = audit(&ledger, &runs, &kept, &killed());
            let wrong: Vec<_> = audit.faults().into_iter().filter(|(_, count)| *count > 0).collect();
            assert!(wrong.iter().any(|(what, _)| *what == name), "{name}: {wrong:?}");
        }
    }

    #[test]
    fn an_answer_that_was_lost_is_no_fault() {
        let (ledger, mut runs, mut kept) = story(2);
        let unanswered = Kept { id: "7".into(), sending: (Kind::Plain, 1, 2), ..kept[1].clone() };
        runs.insert(unanswered.sending, vec![1]);
        kept.push(unanswered);
        let audit = audit(&ledger, &runs, &kept, &killed());
        assert!(audit.adds_up() && audit.unanswered == 1, "{audit:?}");
    }
}
