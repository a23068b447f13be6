//! Caches with names: what they did, for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::handle::Inner;
use super::{Cache, Counters};

/// The caches of this process that have names, and live.
static NAMED: Mutex<Vec<(String, Weak<Inner>)>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<(String, Weak<Inner>)>> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    /// Shows what this cache and its clones did in `/metrics`, under a name. A cache that has a name keeps it; what caches
    /// of the same name did is added up.
    ///
    /// # Example
    ///
    /// ```
    /// use butterfly_model::cache::{self, Cache};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> butterfly_core::Result<()> {
    /// let pages = Cache::memory(16 << 20).named("pages");
    /// pages.get_bytes("front").await?;
    /// assert!(cache::prometheus().contains("butterfly_cache_total{cache=\"pages\",event=\"miss\"} 1\n"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        let mut named = all();
        named.retain(|(_, cache)| cache.strong_count() > 0);
        if !named.iter().any(|(_, cache)| std::ptr::eq(cache.as_ptr(), Arc::as_ptr(&self.inner))) {
            named.push((name.to_owned(), Arc::downgrade(&self.inner)));
        }
        self
    }
}

/// What the named caches of this process did, in the Prometheus text format.
///
/// | name | type | labels | unit |
/// | --- | --- | --- | --- |
/// | `butterfly_cache_total` | counter | `cache`, `event`: `hit`, `miss`, `stale`, `load`, `error` | see [`Counters`] |
#[must_use]
pub fn prometheus() -> String {
    let mut sums: BTreeMap<String, Counters> = BTreeMap::new();
    for (name, cache) in all().iter() {
        if let Some(cache) = cache.upgrade() {
            let (sum, more) = (sums.entry(name.clone()).or_default(), cache.counts.read());
            sum.hit += more.hit;
            sum.miss += more.miss;
            sum.stale += more.stale;
            sum.load += more.load;
            sum.error += more.error;
        }
    }
    let mut out = String::from(
        "# HELP butterfly_cache_total What caches did, by name.\n# TYPE butterfly_cache_total counter\n",
    );
    for (name, Counters { hit, miss, stale, load, error }) in sums {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        for (event, count) in
            [("hit", hit), ("miss", miss), ("stale", stale), ("load", load), ("error", error)]
        {
            // Writing to a String never fails.
            let _ = writeln!(out, "butterfly_cache_total{{cache=\"{name}\",event=\"{event}\"}} {count}");
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn caches_of_a_name_add_up_while_they_live() {
        let line =
            |count: u32| format!("butterfly_cache_total{{cache=\"a \\\"b\\\"\",event=\"miss\"}} {count}\n");
        let one = Cache::memory(1 << 20).named("a \"b\"");
        let two = Cache::memory(1 << 20).named("a \"b\"");
        let again = one.clone().named("another");
        for cache in [&one, &two, &again] {
            cache.get_bytes("k").await.unwrap();
        }
        assert!(prometheus().contains(&line(3)) && !prometheus().contains("another"), "{}", prometheus());
        drop((one, again));
        assert!(prometheus().contains(&line(1)), "{}", prometheus());
    }
}
