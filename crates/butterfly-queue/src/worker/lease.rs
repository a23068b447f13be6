//! Who else holds leases here, and whether they still live.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::engine::Lease;

/// Beats as they were seen, by topic and owner, with when they were first seen.
///
/// Only the time that passes here counts: a wall clock that jumps decides nothing.
#[derive(Debug, Default)]
pub(super) struct Watch(HashMap<(usize, String), (u64, Instant)>);

impl Watch {
    /// Notes what was seen, and gives those whose beat has stood still for a whole lease.
    pub(super) fn dead(
        &mut self,
        seen: Vec<(usize, Vec<Lease>)>,
        lease: Duration,
        now: Instant,
    ) -> Vec<(usize, Lease)> {
        let mut known = HashMap::with_capacity(self.0.len());
        let mut dead = Vec::new();
        for (lane, leases) in seen {
            for one in leases {
                let key = (lane, one.owner.key());
                let before = self.0.get(&key).filter(|(beat, _)| *beat == one.beat);
                let since = before.map_or(now, |(_, since)| *since);
                known.insert(key, (one.beat, since));
                if now.duration_since(since) >= lease {
                    dead.push((lane, one));
                }
            }
        }
        // Who is not seen any more is forgotten with the old map.
        self.0 = known;
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Owner;

    fn seen(beat: u64) -> Vec<(usize, Vec<Lease>)> {
        let owner = Owner { instance: "a".into(), epoch: 1, worker: "w".into() };
        vec![(0, vec![Lease { owner, beat }])]
    }

    #[test]
    fn a_beat_that_stands_still_for_a_lease_is_dead() {
        let (mut watch, lease, start) = (Watch::default(), Duration::from_secs(15), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(watch.dead(seen(1), lease, at(0)).is_empty());
        assert!(watch.dead(seen(1), lease, at(14)).is_empty());
        assert!(watch.dead(seen(2), lease, at(20)).is_empty(), "it beat again");
        assert_eq!(watch.dead(seen(2), lease, at(35)).len(), 1);
    }

    #[test]
    fn an_owner_that_was_away_is_watched_anew() {
        let (mut watch, lease, start) = (Watch::default(), Duration::from_secs(15), Instant::now());
        watch.dead(seen(1), lease, start);
        watch.dead(Vec::new(), lease, start + lease);
        assert!(watch.dead(seen(1), lease, start + lease * 2).is_empty());
    }
}
