//! Which address is asked first, and which next.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How calls are spread over the addresses of a service. A call with a key goes by the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Spread {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest calls on their way.
    LeastLoaded,
}

/// The addresses in the order in which a call tries them.
pub(super) fn order(spread: Spread, turn: &AtomicUsize, loads: &[usize]) -> Vec<usize> {
    let count = loads.len();
    let first = turn.fetch_add(1, Ordering::Relaxed);
    let mut order: Vec<usize> = (0..count).map(|step| first.wrapping_add(step) % count).collect();
    if spread == Spread::LeastLoaded {
        // Stable: those with the same load keep taking turns.
        order.sort_by_key(|index| loads[*index]);
    }
    order
}

/// The order for a key: the same one each time, and the first for one key is as likely as any other for the next.
/// An address that comes or goes moves no keys but its own (rendezvous hashing).
pub(super) fn order_by_key<'a>(key: &[u8], addresses: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut scores: Vec<(u64, usize)> =
        addresses.enumerate().map(|(index, address)| (score(key, address.as_bytes()), index)).collect();
    scores.sort_unstable_by(|a, b| b.cmp(a));
    scores.into_iter().map(|(_, index)| index).collect()
}

/// FNV-1a over both, then mixed: its upper bits alone are too much alike. Fixed for ever, because several processes have
/// to come to the same address.
fn score(key: &[u8], address: &[u8]) -> u64 {
    let bytes = address.iter().chain(&[0]).chain(key);
    let hash = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let hash = (hash ^ hash >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESSES: [&str; 4] = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"];

    #[test]
    fn turns_go_round_and_start_over_at_the_end_of_the_count() {
        let turn = AtomicUsize::new(usize::MAX - 1);
        let firsts: Vec<usize> = (0..6).map(|_| order(Spread::RoundRobin, &turn, &[0; 4])[0]).collect();
        assert_eq!(firsts, [2, 3, 0, 1, 2, 3]);
    }

    #[test]
    fn the_least_loaded_comes_first_and_equals_take_turns() {
        let turn = AtomicUsize::new(0);
        let firsts: Vec<usize> =
            (0..4).map(|_| order(Spread::LeastLoaded, &turn, &[1, 0, 5, 0])[0]).collect();
        assert_eq!(firsts, [1, 1, 3, 3]);
        assert_eq!(order(Spread::LeastLoaded, &turn, &[1, 0, 5, 0])[2..], [0, 2]);
    }

    #[test]
    fn keys_are_spread_evenly_and_stay_when_an_address_goes() {
        let mut counts = [0; 4];
        for key in 0..4000 {
            let key = format!("user:{key}");
            let order = order_by_key(key.as_bytes(), ADDRESSES.into_iter());
            counts[order[0]] += 1;
            let without_last = order_by_key(key.as_bytes(), ADDRESSES[..3].iter().copied());
            let expected: Vec<usize> = order.into_iter().filter(|index| *index != 3).collect();
            assert_eq!(without_last, expected, "{key}");
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
