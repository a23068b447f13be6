//! Which events are written: one default level, and others for some targets, changeable while running.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tracing::level_filters::LevelFilter;
use tracing::{Level, callsite};

/// The level of each target, shared by all clones.
///
/// A target is a module path. A rule for `my_app` holds for `my_app` and everything inside it (`my_app::db`, not
/// `my_app2`); of several that hold, the longest wins.
///
/// # Example
///
/// ```
/// use butterfly_log::Levels;
/// use tracing::level_filters::LevelFilter;
///
/// let levels = Levels::parse("info,my_app=debug,hyper=warn")?;
/// assert_eq!(levels.get("my_app::db"), LevelFilter::DEBUG);
/// assert_eq!(levels.get("other"), LevelFilter::INFO);
///
/// levels.set("my_app::db", LevelFilter::ERROR);
/// assert_eq!(levels.get("my_app::db"), LevelFilter::ERROR);
/// # Ok::<(), butterfly_log::LevelsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Levels(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The highest level of any rule in the upper half, the lowest in the lower: what lies outside of the two is
    /// decided without looking at the rules.
    bounds: AtomicU8,
    rules: RwLock<Rules>,
}

#[derive(Debug)]
struct Rules {
    default: LevelFilter,
    /// The longest target first, so that the first that holds is the nearest.
    targets: Vec<(String, LevelFilter)>,
}

/// A part of a level list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelsError {
    part: String,
    why: String,
}

impl LevelsError {
    /// The part of the list that is wrong, such as `my_app=loud`.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }
}

impl fmt::Display for LevelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in the log levels, `{}`: {}", self.part.escape_debug(), self.why)
    }
}

impl std::error::Error for LevelsError {}

impl Levels {
    /// All targets at one level.
    #[must_use]
    pub fn new(default: LevelFilter) -> Levels {
        let rules = Rules { default, targets: Vec::new() };
        Levels(Arc::new(Inner { bounds: AtomicU8::new(rules.bounds()), rules: RwLock::new(rules) }))
    }

    /// Reads a list such as `info,my_app=debug,hyper=warn`: a level alone is the default, `target=level` is a rule.
    ///
    /// This is the part of `RUST_LOG` that is in common use. Levels are `off`, `error`, `warn`, `info`, `debug` and
    /// `trace`, in any case. Without a default it is `info`; of two rules for one target the later counts.
    ///
    /// # Errors
    ///
    /// Names the first part that is neither.
    pub fn parse(list: &str) -> Result<Levels, LevelsError> {
        let mut rules = Rules { default: LevelFilter::INFO, targets: Vec::new() };
        for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |why| LevelsError { part: part.to_owned(), why };
            match part.split_once('=') {
                None => rules.default = parse_level(part).map_err(wrong)?,
                Some((target, _)) if !is_target(target.trim()) => {
                    return Err(wrong("a target is a module path such as `my_app::db`".to_owned()));
                }
                Some((target, level)) => rules.set(target.trim(), parse_level(level.trim()).map_err(wrong)?),
            }
        }
        let levels = Levels::new(rules.default);
        levels.change(|present| *present = rules);
        Ok(levels)
    }

    /// Sets the level of `target` and everything inside it; the empty target is the default.
    ///
    /// Rules for targets further inside stay. Takes effect at once, in all threads.
    pub fn set(&self, target: &str, level: LevelFilter) {
        self.change(|rules| rules.set(target, level));
    }

    /// Removes the rule for exactly this target, which then has the level of what is around it.
    pub fn unset(&self, target: &str) {
        self.change(|rules| rules.targets.retain(|(name, _)| name != target));
    }

    /// The level that holds for `target`; the empty target asks for the default.
    #[must_use]
    pub fn get(&self, target: &str) -> LevelFilter {
        self.read().get(target)
    }

    /// All rules: the default first, under the empty name, then the targets in alphabetical order.
    #[must_use]
    pub fn list(&self) -> Vec<(String, LevelFilter)> {
        let rules = self.read();
        let mut list = rules.targets.clone();
        list.push((String::new(), rules.default));
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list
    }

    /// The most talkative level that any target has.
    #[must_use]
    pub fn max(&self) -> LevelFilter {
        let rules = self.read();
        rules.all().max().unwrap_or(LevelFilter::OFF)
    }

    /// Whether an event of this target and level is to be written.
    ///
    /// Costs one atomic load where all targets agree, which is the usual case.
    #[must_use]
    pub fn enabled(&self, target: &str, level: &Level) -> bool {
        let level = LevelFilter::from_level(*level);
        let bounds = self.0.bounds.load(Ordering::Relaxed);
        if rank(level) > bounds >> 4 {
            return false;
        }
        rank(level) <= bounds & 15 || level <= self.get(target)
    }

    fn change(&self, change: impl FnOnce(&mut Rules)) {
        {
            let mut rules = self.write();
            change(&mut rules);
            self.0.bounds.store(rules.bounds(), Ordering::Relaxed);
        }
        // Each event's place in the code remembers whether it is wanted: ask them all again. After the lock is
        // released, because the answer reads the rules.
        callsite::rebuild_interest_cache();
    }

    fn read(&self) -> RwLockReadGuard<'_, Rules> {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rules> {
        self.0.rules.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Levels {
    /// Everything at `info`.
    fn default() -> Levels {
        Levels::new(LevelFilter::INFO)
    }
}

impl fmt::Display for Levels {
    /// The list that [`Levels::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (target, level) in self.list() {
            match target.as_str() {
                "" => write!(f, "{level}")?,
                target => write!(f, ",{target}={level}")?,
            }
        }
        Ok(())
    }
}

impl Rules {
    fn set(&mut self, target: &str, level: LevelFilter) {
        if target.is_empty() {
            self.default = level;
            return;
        }
        self.targets.retain(|(name, _)| name != target);
        self.targets.push((target.to_owned(), level));
        self.targets.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    }

    fn get(&self, target: &str) -> LevelFilter {
        let rule = self.targets.iter().find(|(name, _)| holds_for(name, target));
        rule.map_or(self.default, |(_, level)| *level)
    }

    fn all(&self) -> impl Iterator<Item = LevelFilter> {
        std::iter::once(self.default).chain(self.targets.iter().map(|(_, level)| *level))
    }

    fn bounds(&self) -> u8 {
        let ranks = || self.all().map(rank);
        ranks().max().unwrap_or(0) << 4 | ranks().min().unwrap_or(0)
    }
}

fn holds_for(rule: &str, target: &str) -> bool {
    target.strip_prefix(rule).is_some_and(|inside| inside.is_empty() || inside.starts_with("::"))
}

fn is_target(target: &str) -> bool {
    !target.is_empty() && target.chars().all(|c| c.is_alphanumeric() || "_:-./".contains(c))
}

fn parse_level(name: &str) -> Result<LevelFilter, String> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" => LevelFilter::TRACE,
        _ => return Err("a level is one of off, error, warn, info, debug, trace".to_owned()),
    })
}

fn rank(level: LevelFilter) -> u8 {
    match level {
        LevelFilter::OFF => 0,
        LevelFilter::ERROR => 1,
        LevelFilter::WARN => 2,
        LevelFilter::INFO => 3,
        LevelFilter::DEBUG => 4,
        LevelFilter::TRACE => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_wins() {
        let levels = Levels::parse(" warn, my_app=debug ,my_app::db::pool = trace,hyper=OFF,").unwrap();
        assert_eq!(levels.get("my_app"), LevelFilter::DEBUG);
        assert_eq!(levels.get("my_app::db"), LevelFilter::DEBUG);
        assert_eq!(levels.get("my_app::db::pool::x"), LevelFilter::TRACE);
        assert_eq!(levels.get("my_app2"), LevelFilter::WARN);
        assert_eq!(levels.get("hyper::proto"), LevelFilter::OFF);
        assert_eq!(levels.get(""), LevelFilter::WARN);
        assert_eq!(levels.max(), LevelFilter::TRACE);
    }

    #[test]
    fn enabled_agrees_with_the_rules_inside_and_outside_the_bounds() {
        let levels = Levels::parse("info,quiet=error,loud=trace").unwrap();
        for target in ["quiet", "loud", "other"] {
            for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                assert_eq!(levels.enabled(target, &level), level <= levels.get(target), "{target} {level}");
            }
        }
    }

    #[test]
    fn changes_take_effect_and_can_be_taken_back() {
        let levels = Levels::default();
        assert!(!levels.enabled("a::b", &Level::DEBUG));
        levels.clone().set("a", LevelFilter::DEBUG);
        assert!(levels.enabled("a::b", &Level::DEBUG));
        assert!(!levels.enabled("b", &Level::DEBUG));
        levels.unset("a");
        assert!(!levels.enabled("a::b", &Level::DEBUG));
        levels.set("", LevelFilter::OFF);
        assert!(!levels.enabled("b", &Level::ERROR));
    }

    #[test]
    fn the_list_reads_back() {
        let levels = Levels::parse("hyper=warn,error,b=trace,b=info").unwrap();
        assert_eq!(levels.to_string(), "error,b=info,hyper=warn");
        assert_eq!(Levels::parse(&levels.to_string()).unwrap().list(), levels.list());
        assert_eq!(Levels::parse("").unwrap().to_string(), "info");
    }

    #[test]
    fn an_error_names_the_part() {
        for wrong in ["my_app=loud", "inof", "=info", "a=b=info", "my app=info", "my_app="] {
            let error = Levels::parse(&format!("info,{wrong},hyper=warn")).unwrap_err();
            assert_eq!(error.part(), wrong);
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }
}
