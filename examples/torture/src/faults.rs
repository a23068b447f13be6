//! What goes wrong, and when.

use crate::chance::Chance;
use crate::options::Options;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A process is killed, or several.
    Kill,
    /// The Redis server is killed, and started again.
    Server,
    /// The connections to Redis are cut for a while.
    Cut,
    /// There is no room for a while.
    Full,
    /// The disk that Redis writes to is full for a while.
    FullDisk,
    /// The wall clock is off for a while, by so many seconds.
    Jump(i64),
}

/// An hour.
const JUMP: i64 = 3600;

/// What goes wrong, and after how many runs: each fault comes at a random instant of the whole.
pub(crate) fn plan(options: &Options, chance: &mut Chance) -> Vec<(u64, Fault)> {
    let jump = |number| Fault::Jump(if number % 2 == 0 { JUMP } else { -JUMP });
    let mut faults: Vec<Fault> = Vec::new();
    faults.extend(std::iter::repeat_n(Fault::Kill, options.kills));
    faults.extend(std::iter::repeat_n(Fault::Server, options.server_kills));
    faults.extend(std::iter::repeat_n(Fault::Cut, options.cuts));
    faults.extend(std::iter::repeat_n(Fault::Full, options.fulls));
    faults.extend(std::iter::repeat_n(Fault::FullDisk, options.full_disks));
    faults.extend((0..options.jumps).map(jump));
    let mut plan: Vec<(u64, Fault)> =
        faults.into_iter().map(|fault| (chance.below(options.messages * 19 / 20), fault)).collect();
    plan.sort_by_key(|(runs, _)| *runs);
    plan
}
