//! What holds for every topic unless its handler says otherwise.

use std::sync::Arc;
use std::time::Duration;

/// How a process sends messages and runs them; `Settings::default()` is what the configuration's defaults give.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The process's place: the same after a restart, another for each process. It is who leases messages.
    pub instance: Arc<str>,
    /// The service's name, shown beside its workers.
    pub nickname: String,
    /// The program's version, shown beside its workers.
    pub version: String,
    /// The port of the service's HTTP door, part of its workers' names; 0 when it has none.
    pub port: u16,
    /// How many messages the process runs at once.
    pub concurrency: usize,
    /// Which topics it runs.
    pub topics: Patterns,
    /// How long a worker may be silent before others take its messages.
    pub lease: Duration,
    /// How often a failed run is tried again, unless the handler or the sender says otherwise.
    pub retries: u32,
    /// How long one run may take, unless the handler or the sender says otherwise; zero is without a limit.
    pub timeout: Duration,
    /// How long a finished message is kept; `None` for ever.
    pub result_ttl: Option<Duration>,
    /// How long a failed message is kept; `None` for ever.
    pub failure_ttl: Option<Duration>,
    /// The most messages that wait in a topic.
    pub max_depth: u64,
    /// The largest arguments of a message, in bytes, and the largest reply that is kept.
    pub max_args: usize,
    /// Whether messages are taken for topics that no handler of this program has.
    pub allow_unknown: bool,
}

impl Default for Settings {
    fn default() -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 86_400);
        Self {
            instance: "main".into(),
            nickname: "butterfly".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            port: 0,
            concurrency: 10,
            topics: Patterns::default(),
            lease: Duration::from_secs(15),
            retries: 0,
            timeout: Duration::from_secs(180),
            result_ttl: Some(YEAR),
            failure_ttl: Some(YEAR),
            max_depth: 1_000_000,
            max_args: 1 << 20,
            allow_unknown: false,
        }
    }
}

/// Which topics a worker runs: globs such as `/demo_api/*`; those that begin with `!` leave topics out again. The last
/// that fits decides, and of none but exclusions the rest is in.
///
/// # Example
///
/// ```
/// use butterfly_queue::Patterns;
///
/// let some = Patterns::new(["/demo_api/*", "!/demo_api/slow"]);
/// assert!(some.admit("/demo_api/hello") && !some.admit("/demo_api/slow") && !some.admit("/shop/buy"));
/// let most = Patterns::new(["!/reports/*"]);
/// assert!(most.admit("/shop/buy") && !most.admit("/reports/month"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// These patterns, in order; none admits every topic.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }

    /// True when the topic is to be run.
    #[must_use]
    pub fn admit(&self, topic: &str) -> bool {
        let all_exclude = self.0.iter().all(|pattern| pattern.starts_with('!'));
        self.0.iter().fold(all_exclude, |admitted, pattern| match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern, topic) => false,
            None if glob(pattern, topic) => true,
            _ => admitted,
        })
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let Some(tail) = parts.pop() else { return true };
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_as_shells_do() {
        for (pattern, text, fits) in [
            ("*", "/a/b", true),
            ("/a/*", "/a/b", true),
            ("/a/*", "/ab", false),
            ("*/b", "/a/b", true),
            ("/*/b", "/a/c/b", true),
            ("/a*a", "/a", false),
            ("/a*b*c", "/a-b-c", true),
            ("/a*b*c", "/a-c-b", false),
            ("/a", "/a", true),
            ("/a", "/ab", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let all = Patterns::new(["*", "!/slow/*", "/slow/one"]);
        assert!(all.admit("/a") && !all.admit("/slow/two") && all.admit("/slow/one"));
        assert!(Patterns::default().admit("/anything"));
        assert!(!Patterns::new(["/a"]).admit("/b"));
    }
}
